-- name: budget_of_job
SELECT began_at, retries FROM retry_budgets WHERE project = $1 AND environment = $2 AND job = $3

-- name: budget_upsert
INSERT INTO retry_budgets (project, environment, job, began_at, retries) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (project, environment, job)
DO UPDATE SET began_at = excluded.began_at, retries = excluded.retries

-- name: budgets_delete
DELETE FROM retry_budgets WHERE began_at < $1
