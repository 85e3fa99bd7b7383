-- name: triggers_of_job
-- The triggers of the jobs of one name, in all projects that have one.
SELECT environment, job, project, name, kind, state, next_at, version, document, body
FROM triggers WHERE environment = $1 AND job = $2 ORDER BY project, name

-- name: triggers_page
SELECT environment, job, project, name, kind, state, next_at, version, document, body
FROM triggers WHERE environment = $1 AND (job, project, name) > ($2, $3, $4)
ORDER BY job, project, name LIMIT $5

-- name: triggers_of_kind
-- Of no schedule is asked so; it is said for the index, which has none.
SELECT environment, job, project, name, kind, state, next_at, version, document, body
FROM triggers WHERE environment = $1 AND kind = $2 AND kind <> 'schedule'
ORDER BY job, project, name

-- name: triggers_every_of_kind
SELECT environment, job, project, name, kind, state, next_at, version, document, body
FROM triggers WHERE kind = $1 AND kind <> 'schedule' ORDER BY environment, job, project, name

-- name: triggers_of_environment
SELECT environment, job, project, name, kind, state, next_at, version, document, body
FROM triggers WHERE environment = $1 ORDER BY job, project, name

-- name: triggers_schedules
SELECT environment, job, project, name, kind, state, next_at, version, document, body
FROM triggers
WHERE kind = 'schedule' AND state = $1 AND (environment, job, project, name) > ($2, $3, $4, $5)
ORDER BY environment, job, project, name LIMIT $6

-- name: triggers_without_instant
SELECT environment, job, project, name, kind, state, next_at, version, document, body
FROM triggers WHERE kind = 'schedule' AND state = 'enabled' AND next_at IS NULL LIMIT $1

-- name: triggers_due
SELECT environment, job, project, name, kind, state, next_at, version, document, body
FROM triggers WHERE next_at <= $1 ORDER BY next_at, environment, job, project, name LIMIT $2

-- name: triggers_next
SELECT min(next_at) FROM triggers WHERE next_at IS NOT NULL

-- name: trigger_upsert
INSERT INTO triggers (environment, job, project, name, kind, state, next_at, version, document,
                      body)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (environment, job, project, name) DO UPDATE
SET kind = excluded.kind, state = excluded.state, next_at = excluded.next_at,
    version = excluded.version, document = excluded.document, body = excluded.body

-- name: trigger_upsert (postgresql)
INSERT INTO triggers (environment, job, project, name, kind, state, next_at, version, document,
                      body)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
                     $7::bigint[], $8::bigint[], $9::text[], $10::text[])
ON CONFLICT (environment, job, project, name) DO UPDATE
SET kind = excluded.kind, state = excluded.state, next_at = excluded.next_at,
    version = excluded.version, document = excluded.document, body = excluded.body

-- name: trigger_delete
DELETE FROM triggers WHERE environment = $1 AND job = $2 AND project = $3 AND name = $4

-- name: trigger_followers
-- What follows the runs of jobs (a JSON array of paths).
SELECT source, trigger_key, kind FROM trigger_sources
WHERE source IN (SELECT value FROM json_each($1)) ORDER BY source, trigger_key

-- name: trigger_followers (postgresql)
SELECT source, trigger_key, kind FROM trigger_sources
WHERE source = ANY (ARRAY(SELECT json_array_elements_text($1::json))) ORDER BY source, trigger_key

-- name: trigger_sources_delete
DELETE FROM trigger_sources WHERE trigger_key = $1

-- name: trigger_source_insert
INSERT INTO trigger_sources (source, trigger_key, kind) VALUES ($1, $2, $3)

-- name: instant_insert
INSERT INTO instants (trigger_key, at, origin, last_at, count, fate, reason, run_ids,
                      decided_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: instant_insert (postgresql)
INSERT INTO instants (trigger_key, at, origin, last_at, count, fate, reason, run_ids,
                      decided_at)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::text[],
                     $7::text[], $8::text[], $9::bigint[])

-- name: instants_of_trigger
-- What became of a trigger's instants, the latest first.
SELECT trigger_key, at, origin, last_at, count, fate, reason, run_ids, decided_at
FROM instants WHERE trigger_key = $1 AND at < $2 ORDER BY at DESC, origin LIMIT $3

-- name: instants_with_runs
SELECT DISTINCT at FROM instants
WHERE trigger_key = $1 AND at >= $2 AND at < $3 AND fate = 'run'

-- name: instants_unrun
-- Instants of triggers (a JSON array of their keys) that became no run, decided on since one.
SELECT fate, count, decided_at FROM instants
WHERE trigger_key IN (SELECT value FROM json_each($1)) AND fate <> 'run' AND decided_at >= $2

-- name: instants_unrun (postgresql)
SELECT fate, count, decided_at FROM instants
WHERE trigger_key = ANY (ARRAY(SELECT json_array_elements_text($1::json)))
  AND fate <> 'run' AND decided_at >= $2

-- name: instants_delete
DELETE FROM instants WHERE decided_at < $1
