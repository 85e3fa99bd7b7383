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
