-- name: dead_letters_by_run
SELECT body FROM dead_letters WHERE run_id IN (SELECT value FROM json_each($1))

-- name: dead_letters_by_run (postgresql)
SELECT body FROM dead_letters WHERE run_id = ANY (ARRAY(SELECT json_array_elements_text($1::json)))

-- name: dead_letters_page
SELECT body FROM dead_letters

-- name: dead_letters_count
SELECT count(*) FROM dead_letters

-- name: dead_letters_groups
-- Of each group: how many, how many of them nobody has dealt with, the first, the last, the newest.
SELECT fingerprint, count(*), count(*) FILTER (WHERE state = 'open'), min(died_at), max(died_at),
       max(run_id)
FROM dead_letters

-- name: dead_letters_chosen
-- Those of a replay whose turn comes, in the order of their turns.
SELECT body FROM dead_letters WHERE replay_id = $1 AND state = 'chosen'
ORDER BY died_at, run_id LIMIT $2

-- name: dead_letters_expired
-- Those that nobody dealt with, dead before an instant.
SELECT body FROM dead_letters WHERE settled_at IS NULL AND died_at < $1 AND state = 'open'
ORDER BY died_at, run_id LIMIT $2

-- name: dead_letters_missing
-- Dead runs without a letter, after one of them.
SELECT id FROM runs WHERE state = 'dead' AND id > $1
  AND NOT EXISTS (SELECT 1 FROM dead_letters WHERE dead_letters.run_id = runs.id)
ORDER BY id LIMIT $2

-- name: dead_letter_upsert
INSERT INTO dead_letters (run_id, environment, project, job, failure_class, fingerprint, state,
                          died_at, settled_at, replay_id, version, body)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (run_id) DO UPDATE
SET state = excluded.state, settled_at = excluded.settled_at, replay_id = excluded.replay_id,
    version = excluded.version, body = excluded.body

-- name: dead_letter_upsert (postgresql)
INSERT INTO dead_letters (run_id, environment, project, job, failure_class, fingerprint, state,
                          died_at, settled_at, replay_id, version, body)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
                     $7::text[], $8::bigint[], $9::bigint[], $10::text[], $11::bigint[],
                     $12::text[])
ON CONFLICT (run_id) DO UPDATE
SET state = excluded.state, settled_at = excluded.settled_at, replay_id = excluded.replay_id,
    version = excluded.version, body = excluded.body

-- name: dead_letters_delete
DELETE FROM dead_letters WHERE run_id IN (SELECT value FROM json_each($1))

-- name: dead_letters_delete (postgresql)
DELETE FROM dead_letters WHERE run_id = ANY (ARRAY(SELECT json_array_elements_text($1::json)))

-- name: replays_by_id
SELECT body FROM replays WHERE id IN (SELECT value FROM json_each($1))

-- name: replays_by_id (postgresql)
SELECT body FROM replays WHERE id = ANY (ARRAY(SELECT json_array_elements_text($1::json)))

-- name: replays_due
SELECT body FROM replays WHERE due_at <= $1 ORDER BY due_at, id LIMIT $2

-- name: replays_next_instant
SELECT min(due_at) FROM replays WHERE due_at IS NOT NULL

-- name: replays_page
SELECT body FROM replays

-- name: replay_upsert
INSERT INTO replays (id, environment, state, due_at, ended_at, version, body)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (id) DO UPDATE
SET state = excluded.state, due_at = excluded.due_at, ended_at = excluded.ended_at,
    version = excluded.version, body = excluded.body

-- name: replay_upsert (postgresql)
INSERT INTO replays (id, environment, state, due_at, ended_at, version, body)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[],
                     $7::text[])
ON CONFLICT (id) DO UPDATE
SET state = excluded.state, due_at = excluded.due_at, ended_at = excluded.ended_at,
    version = excluded.version, body = excluded.body

-- name: replays_forget
DELETE FROM replays WHERE ended_at < $1
