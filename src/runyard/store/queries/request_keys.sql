-- name: request_keys
-- Those of these keys (a JSON array) that were seen in an environment.
SELECT key, digest, run_ids FROM request_keys
WHERE environment = $1 AND key IN (SELECT value FROM json_each($2))

-- name: request_keys (postgresql)
SELECT key, digest, run_ids FROM request_keys
WHERE environment = $1 AND key = ANY (ARRAY(SELECT json_array_elements_text($2::json)))

-- name: request_key_insert
INSERT INTO request_keys (environment, key, digest, run_ids, at) VALUES ($1, $2, $3, $4, $5)

-- name: request_keys_delete
DELETE FROM request_keys WHERE at < $1
