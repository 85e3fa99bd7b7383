-- name: job_by_name
SELECT project, region, name, uid, generation, template_json, labels_json, created_at, updated_at,
       execution_count, latest_created_execution, annotations_json, fence, deleted_at
FROM job WHERE project = $1 AND region = $2 AND name = $3;

-- name: jobs_page
-- Of a region of a project, by name, from after a name on. Deleted ones too, if $4 is 1.
SELECT project, region, name, uid, generation, template_json, labels_json, created_at, updated_at,
       execution_count, latest_created_execution, annotations_json, fence, deleted_at
FROM job
WHERE project = $1 AND region = $2 AND name > $3 AND (deleted_at IS NULL OR $4 = 1)
ORDER BY name LIMIT $5;

-- name: jobs_count
SELECT count(*) FROM job WHERE project = $1 AND region = $2 AND deleted_at IS NULL;

-- name: job_put
-- A job that was deleted and is made again has another uid, and no executions yet.
INSERT INTO job (project, region, name, uid, generation, template_json, labels_json, created_at,
                 updated_at, annotations_json, fence, deleted_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (project, region, name) DO UPDATE SET
    execution_count = CASE WHEN job.uid = excluded.uid THEN job.execution_count ELSE 0 END,
    latest_created_execution =
        CASE WHEN job.uid = excluded.uid THEN job.latest_created_execution ELSE '' END,
    uid = excluded.uid, created_at = excluded.created_at,
    generation = excluded.generation, template_json = excluded.template_json,
    labels_json = excluded.labels_json, updated_at = excluded.updated_at,
    annotations_json = excluded.annotations_json, fence = excluded.fence,
    deleted_at = excluded.deleted_at;

-- name: job_ran
UPDATE job SET execution_count = execution_count + 1, latest_created_execution = $4
WHERE project = $1 AND region = $2 AND name = $3;

-- name: execution_add
INSERT INTO execution (name, project, region, job, uid, generation, request_key, template_json,
                       labels_json, created_at, state, status_json, completed_at, released)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14);

-- name: execution_update
UPDATE execution SET state = $2, status_json = $3, completed_at = $4, released = $5
WHERE name = $1;

-- name: execution_exists
SELECT 1 FROM execution WHERE name = $1;

-- name: execution_by_name
SELECT name, project, region, job, uid, generation, request_key, template_json, labels_json,
       created_at, state, status_json, released
FROM execution WHERE name = $1;

-- name: executions_active
SELECT name, project, region, job, uid, generation, request_key, template_json, labels_json,
       created_at, state, status_json, released
FROM execution WHERE completed_at IS NULL ORDER BY created_at, name;

-- name: executions_of_job
-- Newest first, older than a creation instant.
SELECT name, project, region, job, uid, generation, request_key, template_json, labels_json,
       created_at, state, status_json, released
FROM execution WHERE project = $1 AND region = $2 AND job = $3 AND created_at < $4
ORDER BY created_at DESC, name LIMIT $5;

-- name: executions_page
-- Newest first, from after one of a creation instant and a name on. An empty job: of every job.
SELECT name, project, region, job, uid, generation, request_key, template_json, labels_json,
       created_at, state, status_json, released
FROM execution
WHERE project = $1 AND region = $2 AND ($3 = '' OR job = $3)
  AND (created_at < $4 OR (created_at = $4 AND name > $5))
ORDER BY created_at DESC, name LIMIT $6;

-- name: executions_beyond
-- Finished executions of a job that nobody holds by a key, but for the newest ones.
SELECT name FROM execution
WHERE project = $1 AND region = $2 AND job = $3 AND completed_at IS NOT NULL
  AND request_key IS NULL
ORDER BY created_at DESC, name LIMIT 100 OFFSET $4;

-- name: request_keys_unreleased
SELECT request_key FROM execution
WHERE request_key IS NOT NULL AND released = 0 ORDER BY created_at LIMIT $1;

-- name: execution_delete
DELETE FROM execution WHERE name = $1;

-- name: request_by_key
SELECT execution, withdrawn_at FROM request WHERE request_key = $1;

-- name: request_put
INSERT INTO request (request_key, execution, withdrawn_at) VALUES ($1, $2, $3);

-- name: request_delete
DELETE FROM request WHERE request_key = $1;

-- name: request_delete_of
DELETE FROM request WHERE execution = $1;

-- name: task_put
INSERT INTO task (execution, task_index, state, attempt, spawner, started_at, ended_at, exit_code,
                  signal, timed_out, out_of_memory, lost, message, cpu_milliseconds,
                  memory_peak_bytes)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
ON CONFLICT (execution, task_index) DO UPDATE SET
    state = excluded.state, attempt = excluded.attempt, spawner = excluded.spawner,
    started_at = excluded.started_at, ended_at = excluded.ended_at,
    exit_code = excluded.exit_code, signal = excluded.signal, timed_out = excluded.timed_out,
    out_of_memory = excluded.out_of_memory, lost = excluded.lost, message = excluded.message,
    cpu_milliseconds = excluded.cpu_milliseconds, memory_peak_bytes = excluded.memory_peak_bytes;

-- name: tasks_open
SELECT task_index, state, attempt, spawner, started_at, ended_at, exit_code, signal, timed_out,
       out_of_memory, lost, message, cpu_milliseconds, memory_peak_bytes
FROM task WHERE execution = $1 AND state IN ('pending', 'running') ORDER BY task_index;

-- name: tasks_page
SELECT task_index, state, attempt, spawner, started_at, ended_at, exit_code, signal, timed_out,
       out_of_memory, lost, message, cpu_milliseconds, memory_peak_bytes
FROM task WHERE execution = $1 AND task_index >= $2 AND task_index < $3 ORDER BY task_index;

-- name: tasks_cancel_waiting
UPDATE task SET state = 'cancelled' WHERE execution = $1 AND state = 'pending';

-- name: tasks_delete
DELETE FROM task WHERE execution = $1;
