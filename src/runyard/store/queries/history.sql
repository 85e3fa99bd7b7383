-- name: history_insert
INSERT INTO history (run_id, sequence, at, kind, state, data) VALUES ($1, $2, $3, $4, $5, $6)

-- name: history_insert (postgresql)
INSERT INTO history (run_id, sequence, at, kind, state, data)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[])

-- name: history_of_run
SELECT sequence, at, kind, state, data FROM history
WHERE run_id = $1 AND sequence > $2 ORDER BY sequence

-- name: history_delete
DELETE FROM history WHERE run_id IN (SELECT value FROM json_each($1))

-- name: history_delete (postgresql)
DELETE FROM history WHERE run_id = ANY (ARRAY(SELECT json_array_elements_text($1::json)))
