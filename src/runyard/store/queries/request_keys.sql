-- name: request_key
SELECT digest, run_ids FROM request_keys WHERE environment = $1 AND key = $2

-- name: request_key_insert
INSERT INTO request_keys (environment, key, digest, run_ids, at) VALUES ($1, $2, $3, $4, $5)

-- name: request_keys_delete
DELETE FROM request_keys WHERE at < $1
