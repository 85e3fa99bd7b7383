-- name: log_patterns_of_job
-- Patterns of a job ($1 environment, $2 project, $3 name), those seen last first.
SELECT id, template, first_seen_at, last_seen_at, count, examples FROM log_patterns
WHERE environment = $1 AND project = $2 AND job = $3 ORDER BY last_seen_at DESC, id

-- name: log_pattern_put
INSERT INTO log_patterns (environment, project, job, id, template, first_seen_at, last_seen_at,
                          count, examples)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (environment, project, job, id) DO UPDATE
SET template = excluded.template, first_seen_at = excluded.first_seen_at,
    last_seen_at = excluded.last_seen_at, count = excluded.count, examples = excluded.examples

-- name: log_pattern_delete
DELETE FROM log_patterns WHERE environment = $1 AND project = $2 AND job = $3 AND id = $4

-- name: log_patterns_forget
DELETE FROM log_patterns WHERE last_seen_at < $1
