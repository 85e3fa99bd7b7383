-- name: history_insert
INSERT INTO history (run_id, sequence, at, kind, state, data) VALUES ($1, $2, $3, $4, $5, $6)

-- name: history_of_run
SELECT sequence, at, kind, state, data FROM history
WHERE run_id = $1 AND sequence > $2 ORDER BY sequence

-- name: history_delete
DELETE FROM history WHERE run_id IN (SELECT value FROM json_each($1))

-- name: history_delete (postgresql)
DELETE FROM history WHERE run_id = ANY (ARRAY(SELECT json_array_elements_text($1::json)))

-- name: home
SELECT cloud, place FROM home WHERE number = 1

-- name: home_insert
INSERT INTO home (number, cloud, place) VALUES (1, $1, $2) ON CONFLICT (number) DO NOTHING

-- name: jobs_by_name
-- The jobs of this name in an environment, one for each project that has one.
SELECT project, environment, name, revision, document, applied_at, applied_by
FROM jobs WHERE environment = $1 AND name = $2 ORDER BY project

-- name: jobs_page
SELECT project, environment, name, revision, document, applied_at, applied_by
FROM jobs WHERE environment = $1 AND (name > $2 OR (name = $2 AND project > $3))
ORDER BY name, project LIMIT $4

-- name: job_upsert
INSERT INTO jobs (project, environment, name, revision, document, applied_at, applied_by)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (project, environment, name) DO UPDATE
SET revision = excluded.revision, document = excluded.document,
    applied_at = excluded.applied_at, applied_by = excluded.applied_by

-- name: revision_insert
INSERT INTO revisions (project, environment, name, revision, document, applied_at, applied_by)
VALUES ($1, $2, $3, $4, $5, $6, $7)

-- name: revision_document
SELECT document FROM revisions
WHERE project = $1 AND environment = $2 AND name = $3 AND revision = $4

-- name: charge_insert
INSERT INTO charges (attempt_key, run_id, project, environment, job, region, at,
                     vcpu_nano_dollars, memory_nano_dollars, body)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)

-- name: charges_of_run
SELECT attempt_key, at, region, vcpu_nano_dollars, memory_nano_dollars, body
FROM charges WHERE run_id = $1 ORDER BY at, attempt_key

-- name: effect_insert
INSERT INTO outbox (id, run_id, kind, data, due_at, tries, claimed_by, claimed_until)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: effects_claim
-- Claim what is due and not claimed by another ($1 who, $2 until, $3 now, $4 how many).
UPDATE outbox SET claimed_by = $1, claimed_until = $2
WHERE id IN (SELECT id FROM outbox WHERE due_at <= $3 AND claimed_until <= $3
             ORDER BY due_at, id LIMIT $4)
RETURNING id, run_id, kind, data, due_at, tries

-- name: effects_claim (postgresql)
-- What another engine is claiming, settling or delaying at this moment is left to it.
UPDATE outbox SET claimed_by = $1, claimed_until = $2
WHERE id = ANY (ARRAY(SELECT id FROM outbox WHERE due_at <= $3 AND claimed_until <= $3
                      ORDER BY due_at, id LIMIT $4 FOR UPDATE SKIP LOCKED))
RETURNING id, run_id, kind, data, due_at, tries

-- name: effect_delete
DELETE FROM outbox WHERE id = $1

-- name: effect_delay
UPDATE outbox SET due_at = $2, tries = $3, claimed_by = '', claimed_until = 0 WHERE id = $1

-- name: effects_renew
-- Keep an engine's claims of these effects.
UPDATE outbox SET claimed_until = $2
WHERE claimed_by = $1 AND id IN (SELECT value FROM json_each($3))

-- name: effects_renew (postgresql)
-- What is being settled or delayed at this moment needs no claim any more: to wait for it would
-- let this and a gate wait for each other.
UPDATE outbox SET claimed_until = $2
WHERE id = ANY (ARRAY(SELECT id FROM outbox WHERE claimed_by = $1
                      AND id = ANY (ARRAY(SELECT json_array_elements_text($3::json)))
                      FOR UPDATE SKIP LOCKED))

-- name: effects_unclaim
-- Free every claim but one engine's: only for a database that has one engine at a time.
UPDATE outbox SET claimed_by = '', claimed_until = 0 WHERE claimed_by <> $1 AND claimed_by <> ''

-- name: effects_let_go
UPDATE outbox SET claimed_by = '', claimed_until = 0 WHERE claimed_by = $1

-- name: effects_next_instant
SELECT min(CASE WHEN claimed_until > due_at THEN claimed_until ELSE due_at END) FROM outbox

-- name: launches_pending
-- Of these runs, those whose launch has not been settled.
SELECT DISTINCT run_id FROM outbox
WHERE kind = 'launch' AND run_id IN (SELECT value FROM json_each($1))

-- name: launches_pending (postgresql)
SELECT DISTINCT run_id FROM outbox
WHERE kind = 'launch' AND run_id = ANY (ARRAY(SELECT json_array_elements_text($1::json)))

-- name: effects_count
SELECT count(*) FROM outbox

-- name: request_keys
-- Those of these keys (a JSON array) that were seen in an environment.
SELECT key, digest, run_ids FROM request_keys
WHERE environment = $1 AND key IN (SELECT value FROM json_each($2))

-- name: request_keys (postgresql)
SELECT key, digest, run_ids FROM request_keys
WHERE environment = $1 AND key = ANY (ARRAY(SELECT json_array_elements_text($2::json)))

-- name: request_key_insert
INSERT INTO request_keys (environment, key, digest, run_ids, at) VALUES ($1, $2, $3, $4, $5)

-- name: request_keys_delete
DELETE FROM request_keys WHERE at < $1

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
                  started_at, ended_at, attempt, cost_nano_dollars, version, asked, body)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
        $20, $21)

-- name: run_update
UPDATE runs SET state = $2, due_at = $3, waiting_on = $4, started_at = $5, ended_at = $6,
                attempt = $7, cost_nano_dollars = $8, version = $9, body = $10
WHERE id = $1

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

-- name: runs_waiting_on
-- The best ranked of the runs that wait for a slot.
SELECT id FROM runs WHERE waiting_on = $1 AND waiting_on <> '' ORDER BY rank_at, id LIMIT $2

-- name: runs_live_in_slot
SELECT id FROM runs
WHERE concurrency_slot = $1 AND concurrency_slot <> '' AND ended_at IS NULL ORDER BY id

-- name: runs_out
-- The runs with an attempt out, a page at a time.
SELECT id FROM runs
WHERE ended_at IS NULL AND state IN ('launching', 'running', 'stopping') AND id > $1
ORDER BY id LIMIT $2

-- name: runs_by_state_counts
SELECT state, count(*) FROM runs GROUP BY state

-- name: runs_ended_before
-- Final runs with nothing left to do, a page at a time, after (ended_at, id).
SELECT id FROM runs
WHERE ended_at < $1 AND (ended_at > $2 OR (ended_at = $2 AND id > $3))
  AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.run_id = runs.id)
ORDER BY ended_at, id LIMIT $4

-- name: runs_delete
DELETE FROM runs WHERE id IN (SELECT value FROM json_each($1))

-- name: runs_delete (postgresql)
DELETE FROM runs WHERE id = ANY (ARRAY(SELECT json_array_elements_text($1::json)))

-- name: run_labels_delete
DELETE FROM run_labels WHERE run_id IN (SELECT value FROM json_each($1))

-- name: run_labels_delete (postgresql)
DELETE FROM run_labels WHERE run_id = ANY (ARRAY(SELECT json_array_elements_text($1::json)))

-- name: slots_by_name
SELECT name, capacity, used FROM slots WHERE name IN (SELECT value FROM json_each($1))

-- name: slots_by_name (postgresql)
SELECT name, capacity, used FROM slots
WHERE name = ANY (ARRAY(SELECT json_array_elements_text($1::json)))

-- name: slot_upsert
INSERT INTO slots (name, capacity, used) VALUES ($1, $2, $3)
ON CONFLICT (name) DO UPDATE SET capacity = excluded.capacity, used = excluded.used

-- name: slots_all
SELECT name, capacity, used FROM slots ORDER BY name

