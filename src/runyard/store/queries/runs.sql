-- name: runs_by_id
-- The runs with these ids (a JSON array).
SELECT id, project, environment, job, revision, region, state, trigger_kind, requested_at, rank_at,
       due_at, waiting_on, concurrency_slot, deadline_at, started_at, ended_at, attempt,
       cost_nano_dollars, version, asked, body
FROM runs WHERE id IN (SELECT value FROM json_each($1))

-- name: runs_by_id (postgresql)
SELECT id, project, environment, job, revision, region, state, trigger_kind, requested_at, rank_at,
       due_at, waiting_on, concurrency_slot, deadline_at, started_at, ended_at, attempt,
       cost_nano_dollars, version, asked, body
FROM runs WHERE id = ANY (ARRAY(SELECT json_array_elements_text($1::json)))

-- name: run_insert
INSERT INTO runs (id, project, environment, job, revision, region, state, trigger_kind,
                  requested_at, rank_at, due_at, waiting_on, concurrency_slot, deadline_at,
                  started_at, ended_at, attempt, cost_nano_dollars, version, asked, body, trigger_key)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
        $20, $21, $22)

-- name: run_update
UPDATE runs SET state = $2, due_at = $3, waiting_on = $4, started_at = $5, ended_at = $6,
                attempt = $7, cost_nano_dollars = $8, version = $9, body = $10, revision = $11,
                look_at = $12
WHERE id = $1

-- name: run_insert (postgresql)
INSERT INTO runs (id, project, environment, job, revision, region, state, trigger_kind,
                  requested_at, rank_at, due_at, waiting_on, concurrency_slot, deadline_at,
                  started_at, ended_at, attempt, cost_nano_dollars, version, asked, body, trigger_key)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[],
                     $7::text[], $8::text[], $9::bigint[], $10::bigint[], $11::bigint[],
                     $12::text[], $13::text[], $14::bigint[], $15::bigint[], $16::bigint[],
                     $17::bigint[], $18::bigint[], $19::bigint[], $20::text[], $21::text[], $22::text[])

-- name: run_update (postgresql)
UPDATE runs SET state = new.state, due_at = new.due_at, waiting_on = new.waiting_on,
                started_at = new.started_at, ended_at = new.ended_at, attempt = new.attempt,
                cost_nano_dollars = new.cost_nano_dollars, version = new.version, body = new.body,
                revision = new.revision, look_at = new.look_at
FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[],
            $7::bigint[], $8::bigint[], $9::bigint[], $10::text[], $11::bigint[], $12::bigint[])
     AS new (id, state, due_at, waiting_on, started_at, ended_at, attempt, cost_nano_dollars,
             version, body, revision, look_at)
WHERE runs.id = new.id

-- name: run_label_insert
INSERT INTO run_labels (key, value, run_id) VALUES ($1, $2, $3)

-- name: runs_due
-- The best ranked of the runs whose instant has come.
SELECT id FROM runs WHERE due_at <= $1 ORDER BY rank_at, id LIMIT $2

-- name: runs_past_deadline
SELECT id FROM runs
WHERE ended_at IS NULL AND deadline_at <= $1 AND state <> 'stopping' ORDER BY deadline_at LIMIT $2

-- name: runs_next_instants
-- When the next run is due and when the next deadline passes.
SELECT (SELECT min(due_at) FROM runs WHERE due_at IS NOT NULL),
       (SELECT min(deadline_at) FROM runs
        WHERE ended_at IS NULL AND deadline_at IS NOT NULL AND state <> 'stopping')

-- name: runs_to_look_at
-- Those that wait for something and are to be looked at, the first to be looked at first.
SELECT id FROM runs WHERE look_at <= $1 ORDER BY look_at, id LIMIT $2

-- name: runs_next_look
SELECT min(look_at) FROM runs WHERE look_at IS NOT NULL

-- name: runs_that_wait
-- Those that wait for something, as they are known by their version.
SELECT id, version FROM runs WHERE look_at IS NOT NULL ORDER BY look_at, id LIMIT $1

-- name: runs_mended
-- Those that wait for a newer revision of their job, and there is one.
SELECT runs.id FROM runs
JOIN jobs ON jobs.project = runs.project AND jobs.environment = runs.environment
         AND jobs.name = runs.job AND jobs.revision > runs.revision
WHERE runs.look_at IS NOT NULL AND runs.state = 'awaiting_fix' ORDER BY runs.id LIMIT $1

-- name: runs_waiting_on
-- The best ranked of the runs that wait for a slot.
SELECT id FROM runs WHERE waiting_on = $1 AND waiting_on <> '' ORDER BY rank_at, id LIMIT $2

-- name: runs_live_in_slot
SELECT id FROM runs
WHERE concurrency_slot = $1 AND concurrency_slot <> '' AND ended_at IS NULL ORDER BY id

-- name: runs_live_of_job
-- Runs of a job that have not ended.
SELECT id FROM runs
WHERE ended_at IS NULL AND job = $3 AND environment = $2 AND project = $1 ORDER BY id LIMIT $4

-- name: runs_live_of_triggers
-- Runs that triggers (a JSON array of keys) asked for and that have not ended.
SELECT id FROM runs
WHERE ended_at IS NULL AND trigger_key <> ''
  AND trigger_key IN (SELECT value FROM json_each($1)) ORDER BY id

-- name: runs_live_of_triggers (postgresql)
SELECT id FROM runs
WHERE ended_at IS NULL AND trigger_key <> ''
  AND trigger_key = ANY (ARRAY(SELECT json_array_elements_text($1::json))) ORDER BY id

-- name: run_last_ended
-- How and when a run of a job last ended in one of some states (a JSON array), after an instant.
SELECT state, ended_at FROM runs
WHERE ended_at > $5 AND project = $1 AND environment = $2 AND job = $3
  AND state IN (SELECT value FROM json_each($4))
ORDER BY ended_at DESC LIMIT 1

-- name: run_last_ended (postgresql)
SELECT state, ended_at FROM runs
WHERE ended_at > $5 AND project = $1 AND environment = $2 AND job = $3
  AND state = ANY (ARRAY(SELECT json_array_elements_text($4::json)))
ORDER BY ended_at DESC LIMIT 1

-- name: runs_out
-- The runs with an attempt out, a page at a time.
SELECT id FROM runs
WHERE ended_at IS NULL AND state IN ('launching', 'running', 'stopping') AND id > $1
ORDER BY id LIMIT $2

-- name: runs_tried_since
-- Runs that had an attempt, and are live or ended since an instant, with the number of attempts.
SELECT id, attempt FROM runs WHERE ended_at IS NULL AND attempt > 0
UNION ALL SELECT id, attempt FROM runs WHERE ended_at >= $1 AND attempt > 0

-- name: runs_by_state_counts
SELECT state, count(*) FROM runs GROUP BY state

-- name: runs_ended_before
-- Final runs with nothing left to do, a page at a time, after (ended_at, id).
SELECT id FROM runs
WHERE ended_at < $1 AND (ended_at > $2 OR (ended_at = $2 AND id > $3))
  AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.run_id = runs.id)
ORDER BY ended_at, id LIMIT $4

-- name: runs_to_forget
-- Final runs with nothing left to do, neither for the engine nor (as dead letters) for people.
SELECT id FROM runs
WHERE ended_at < $1
  AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.run_id = runs.id)
  AND NOT EXISTS (SELECT 1 FROM dead_letters
                  WHERE dead_letters.run_id = runs.id AND dead_letters.settled_at IS NULL)
ORDER BY ended_at, id LIMIT $2

-- name: runs_delete
DELETE FROM runs WHERE id IN (SELECT value FROM json_each($1))

-- name: runs_delete (postgresql)
DELETE FROM runs WHERE id = ANY (ARRAY(SELECT json_array_elements_text($1::json)))

-- name: run_labels_delete
DELETE FROM run_labels WHERE run_id IN (SELECT value FROM json_each($1))

-- name: run_labels_delete (postgresql)
DELETE FROM run_labels WHERE run_id = ANY (ARRAY(SELECT json_array_elements_text($1::json)))

-- name: runs_succeeded_of_job
-- The newest runs of a job that succeeded.
SELECT id FROM runs
WHERE job = $1 AND environment = $2 AND project = $3 AND state = 'succeeded'
ORDER BY requested_at DESC, id DESC LIMIT $4

-- name: runs_recent_of_job
-- The newest runs of a job that were asked for since an instant, without what they hold.
SELECT id, state, region, requested_at, started_at, ended_at, cost_nano_dollars FROM runs
WHERE job = $1 AND environment = $2 AND project = $3 AND requested_at >= $4
ORDER BY requested_at DESC, id DESC LIMIT $5
