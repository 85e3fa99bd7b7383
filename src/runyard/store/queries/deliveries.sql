-- name: delivery_by_id
SELECT id, environment, trigger_key, sender_key, received_at, last_at, fate, body
FROM deliveries WHERE id = $1

-- name: delivery_by_key
SELECT id, environment, trigger_key, sender_key, received_at, last_at, fate, body
FROM deliveries WHERE trigger_key = $1 AND sender_key = $2

-- name: delivery_content
SELECT content FROM deliveries WHERE id = $1

-- name: deliveries_waiting
SELECT trigger_key, COUNT(*), MIN(received_at) FROM deliveries WHERE fate = 'gathered'
GROUP BY trigger_key ORDER BY trigger_key

-- name: deliveries_gathered
SELECT id, environment, trigger_key, sender_key, received_at, last_at, fate, body
FROM deliveries WHERE trigger_key = $1 AND fate = 'gathered' ORDER BY id LIMIT $2

-- name: deliveries_gathered_content
SELECT content FROM deliveries
WHERE trigger_key = $1 AND fate = 'gathered' AND id <= $2 ORDER BY id

-- name: deliveries_page
SELECT id, environment, trigger_key, sender_key, received_at, last_at, fate, body FROM deliveries

-- name: delivery_upsert
INSERT INTO deliveries
    (id, environment, trigger_key, sender_key, received_at, last_at, fate, body, content)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (id) DO UPDATE
SET last_at = excluded.last_at, fate = excluded.fate, body = excluded.body,
    content = CASE excluded.content WHEN '' THEN deliveries.content ELSE excluded.content END

-- name: delivery_upsert (postgresql)
INSERT INTO deliveries
    (id, environment, trigger_key, sender_key, received_at, last_at, fate, body, content)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[],
                     $7::text[], $8::text[], $9::text[])
ON CONFLICT (id) DO UPDATE
SET last_at = excluded.last_at, fate = excluded.fate, body = excluded.body,
    content = CASE excluded.content WHEN '' THEN deliveries.content ELSE excluded.content END

-- name: deliveries_delete
DELETE FROM deliveries
WHERE fate <> 'gathered' AND (last_at < $1 OR (last_at < $2 AND fate = 'filtered'))
