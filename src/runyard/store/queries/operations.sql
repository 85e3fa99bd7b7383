-- name: operations_by_id
-- The operations with these ids (a JSON array).
SELECT id, kind, environment, state, requested_by, requested_at, due_at, ended_at, version, asked,
       body, fence
FROM operations WHERE id IN (SELECT value FROM json_each($1))

-- name: operations_by_id (postgresql)
SELECT id, kind, environment, state, requested_by, requested_at, due_at, ended_at, version, asked,
       body, fence
FROM operations WHERE id = ANY (ARRAY(SELECT json_array_elements_text($1::json)))

-- name: operation_insert
INSERT INTO operations (id, kind, environment, state, requested_by, requested_at, due_at, ended_at,
                        version, asked, body, fence)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)

-- name: operation_update
UPDATE operations SET state = $2, due_at = $3, ended_at = $4, version = $5, body = $6 WHERE id = $1

-- name: operation_job_insert
INSERT INTO operation_jobs (environment, name, project, operation_id) VALUES ($1, $2, $3, $4)

-- name: operation_fact_insert
INSERT INTO operation_history (operation_id, sequence, at, kind, state, data)
VALUES ($1, $2, $3, $4, $5, $6)

-- name: operation_history
SELECT sequence, at, kind, state, data FROM operation_history
WHERE operation_id = $1 AND sequence > $2 ORDER BY sequence

-- name: operations_page
-- Newest first, after (requested_at, id).
SELECT id FROM operations
WHERE environment = $1 AND (requested_at < $2 OR (requested_at = $2 AND id < $3))
ORDER BY requested_at DESC, id DESC LIMIT $4

-- name: operations_page_of_job
SELECT o.id FROM operation_jobs j JOIN operations o ON o.id = j.operation_id
WHERE j.environment = $1 AND j.name = $5
  AND (o.requested_at < $2 OR (o.requested_at = $2 AND o.id < $3))
ORDER BY o.requested_at DESC, o.id DESC LIMIT $4

-- name: operations_due
-- Those whose waiting is over.
SELECT id FROM operations WHERE due_at <= $1 ORDER BY due_at, id LIMIT $2

-- name: operations_next_instant
SELECT min(due_at) FROM operations WHERE due_at IS NOT NULL

-- name: operations_last_fence
SELECT coalesce(max(fence), 0) FROM operations

-- name: operations_live_count
SELECT count(*) FROM operations WHERE ended_at IS NULL

-- name: operations_ended_before
SELECT id FROM operations WHERE ended_at < $1 ORDER BY ended_at, id LIMIT $2

-- name: operation_delete
DELETE FROM operations WHERE id = $1

-- name: operation_history_delete
DELETE FROM operation_history WHERE operation_id = $1

-- name: operation_jobs_delete
DELETE FROM operation_jobs WHERE operation_id = $1
