-- name: charge_insert
INSERT INTO charges (attempt_key, run_id, project, environment, job, region, at,
                     vcpu_nano_dollars, memory_nano_dollars, body)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)

-- name: charges_of_run
SELECT attempt_key, at, region, vcpu_nano_dollars, memory_nano_dollars, body
FROM charges WHERE run_id = $1 ORDER BY at, attempt_key
