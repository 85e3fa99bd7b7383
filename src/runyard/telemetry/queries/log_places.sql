-- name: log_places
-- How far the logs are read that are not read to their end.
SELECT attempt_key, position FROM log_places ORDER BY attempt_key

-- name: log_place_put
INSERT INTO log_places (attempt_key, position) VALUES ($1, $2)
ON CONFLICT (attempt_key) DO UPDATE SET position = excluded.position

-- name: log_place_put (postgresql)
INSERT INTO log_places (attempt_key, position)
SELECT * FROM unnest($1::text[], $2::bigint[])
ON CONFLICT (attempt_key) DO UPDATE SET position = excluded.position

-- name: log_place_delete
DELETE FROM log_places WHERE attempt_key = $1
