-- name: process_beat
-- A sign of life ($1 name, $2 kind, $3 place, $4 whether it works, $5 what it says of itself).
INSERT INTO processes (name, kind, place, working, beat, seen_at, body)
VALUES ($1, $2, $3, $4, 1, CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER), $5)
ON CONFLICT (name) DO UPDATE SET working = excluded.working, beat = processes.beat + 1,
                                 seen_at = excluded.seen_at, body = excluded.body

-- name: process_beat (postgresql)
INSERT INTO processes (name, kind, place, working, beat, seen_at, body)
VALUES ($1, $2, $3, $4, 1, CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT), $5)
ON CONFLICT (name) DO UPDATE SET working = excluded.working, beat = processes.beat + 1,
                                 seen_at = excluded.seen_at, body = excluded.body

-- name: processes
-- Every process with the microseconds since its last sign of life.
SELECT name, kind, place, working, beat, body,
       CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER) - seen_at
FROM processes ORDER BY name

-- name: processes (postgresql)
SELECT name, kind, place, working, beat, body,
       CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT) - seen_at
FROM processes ORDER BY name

-- name: process_beats
-- How often a process has given a sign of life.
SELECT beat FROM processes WHERE name = $1

-- name: process_leave
DELETE FROM processes WHERE name = $1

-- name: processes_forget
-- Forget who has been silent for longer than $1 microseconds.
DELETE FROM processes
WHERE seen_at < CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER) - $1

-- name: processes_forget (postgresql)
DELETE FROM processes
WHERE seen_at < CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT) - CAST($1 AS BIGINT)
