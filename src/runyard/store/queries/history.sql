-- name: history_insert
INSERT INTO history (run_id, sequence, at, kind, state, data) VALUES ($1, $2, $3, $4, $5, $6)

-- name: history_of_run
SELECT sequence, at, kind, state, data FROM history
WHERE run_id = $1 AND sequence > $2 ORDER BY sequence

-- name: history_delete
DELETE FROM history WHERE run_id IN (SELECT value FROM json_each($1))
