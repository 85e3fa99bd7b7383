-- name: charge_insert
INSERT INTO charges (attempt_key, run_id, project, environment, job, region, at,
                     vcpu_nano_dollars, memory_nano_dollars, body)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)

-- name: charge_insert (postgresql)
INSERT INTO charges (attempt_key, run_id, project, environment, job, region, at,
                     vcpu_nano_dollars, memory_nano_dollars, body)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
                     $7::bigint[], $8::bigint[], $9::bigint[], $10::text[])

-- name: charges_of_run
SELECT attempt_key, at, region, vcpu_nano_dollars, memory_nano_dollars, body
FROM charges WHERE run_id = $1 ORDER BY at, attempt_key

-- name: charges_of_runs
-- The charges of these runs (a JSON array).
SELECT run_id, body FROM charges WHERE run_id IN (SELECT value FROM json_each($1))

-- name: charges_of_runs (postgresql)
SELECT run_id, body FROM charges
WHERE run_id = ANY (ARRAY(SELECT json_array_elements_text($1::json)))

-- name: charges_sum_of_job
-- What a job ($1 environment, $2 name, $3 project) was charged since an instant.
SELECT COALESCE(SUM(vcpu_nano_dollars + memory_nano_dollars), 0) FROM charges
WHERE environment = $1 AND job = $2 AND project = $3 AND at >= $4
