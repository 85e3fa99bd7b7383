-- name: log_places
-- How far logs are read, and of those that are read to their end, when that was.
SELECT attempt_key, position, ended_at FROM log_places ORDER BY ended_at, attempt_key

-- name: log_place_put
INSERT INTO log_places (attempt_key, position, ended_at) VALUES ($1, $2, $3)
ON CONFLICT (attempt_key) DO UPDATE SET position = excluded.position, ended_at = excluded.ended_at

-- name: log_place_put (postgresql)
INSERT INTO log_places (attempt_key, position, ended_at)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[])
ON CONFLICT (attempt_key) DO UPDATE SET position = excluded.position, ended_at = excluded.ended_at

-- name: log_place_delete
DELETE FROM log_places WHERE attempt_key = $1
