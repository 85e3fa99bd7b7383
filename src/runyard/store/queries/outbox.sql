-- name: effect_insert
INSERT INTO outbox (id, run_id, kind, data, due_at, tries, claimed_by, claimed_until)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: effect_insert (postgresql)
INSERT INTO outbox (id, run_id, kind, data, due_at, tries, claimed_by, claimed_until)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[],
                     $7::text[], $8::bigint[])

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

-- name: effect_delete (postgresql)
DELETE FROM outbox WHERE id IN (SELECT unnest($1::text[]))

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

-- name: effect_is_here
SELECT 1 FROM outbox WHERE id = $1

-- name: effects_count
SELECT count(*) FROM outbox
