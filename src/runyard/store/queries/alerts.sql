-- name: alerts_open
-- Those that are not resolved, of these fingerprints (a JSON array).
SELECT body FROM alerts
WHERE resolved_at IS NULL AND fingerprint IN (SELECT value FROM json_each($1))

-- name: alerts_open (postgresql)
SELECT body FROM alerts
WHERE resolved_at IS NULL
  AND fingerprint = ANY (ARRAY(SELECT json_array_elements_text($1::json)))

-- name: alerts_last
-- The last one of a fingerprint that was resolved.
SELECT body FROM alerts WHERE fingerprint = $1 AND resolved_at IS NOT NULL
ORDER BY resolved_at DESC LIMIT 1

-- name: alerts_by_id
SELECT body FROM alerts WHERE id IN (SELECT value FROM json_each($1))

-- name: alerts_by_id (postgresql)
SELECT body FROM alerts WHERE id = ANY (ARRAY(SELECT json_array_elements_text($1::json)))

-- name: alerts_unresolved
SELECT body FROM alerts WHERE resolved_at IS NULL ORDER BY opened_at, id LIMIT $1

-- name: alerts_unresolved_in
SELECT body FROM alerts WHERE resolved_at IS NULL AND environment = $1 ORDER BY opened_at, id

-- name: alerts_due
SELECT body FROM alerts WHERE due_at <= $1 ORDER BY due_at, id LIMIT $2

-- name: alerts_next_instant
SELECT min(due_at) FROM alerts WHERE due_at IS NOT NULL

-- name: alerts_page
-- Newest first, before (opened_at, id); of a job, of a state (empty: any; `open`: not resolved).
SELECT body FROM alerts
WHERE environment = $1 AND (opened_at < $2 OR (opened_at = $2 AND id < $3))
  AND ($4 = '' OR job = $4)
  AND ($5 = '' OR state = $5 OR ($5 = 'open' AND resolved_at IS NULL))
ORDER BY opened_at DESC, id DESC LIMIT $6

-- name: alert_upsert
INSERT INTO alerts (id, fingerprint, environment, project, job, state, opened_at, due_at,
                    resolved_at, version, body)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (id) DO UPDATE
SET state = excluded.state, due_at = excluded.due_at, resolved_at = excluded.resolved_at,
    version = excluded.version, body = excluded.body

-- name: alerts_forget
DELETE FROM alerts WHERE resolved_at < $1

-- name: incidents_by_id
SELECT body FROM incidents WHERE id IN (SELECT value FROM json_each($1))

-- name: incidents_by_id (postgresql)
SELECT body FROM incidents WHERE id = ANY (ARRAY(SELECT json_array_elements_text($1::json)))

-- name: incident_of_group
-- The one of a group that is open, else the newest. The open one need not be the newest: a clock may
-- have been set back since another was opened.
SELECT body FROM incidents WHERE id = coalesce(
    (SELECT id FROM incidents
     WHERE environment = $1 AND group_key = $2 AND resolved_at IS NULL),
    (SELECT id FROM incidents WHERE environment = $1 AND group_key = $2
     ORDER BY opened_at DESC, id DESC LIMIT 1))

-- name: incidents_due
SELECT body FROM incidents WHERE due_at <= $1 ORDER BY due_at, id LIMIT $2

-- name: incidents_next_instant
SELECT min(due_at) FROM incidents WHERE due_at IS NOT NULL

-- name: incidents_page
SELECT body FROM incidents
WHERE environment = $1 AND (opened_at < $2 OR (opened_at = $2 AND id < $3))
  AND ($4 = '' OR job = $4)
  AND ($5 = '' OR state = $5 OR ($5 = 'unresolved' AND resolved_at IS NULL))
ORDER BY opened_at DESC, id DESC LIMIT $6

-- name: incidents_between
-- Those that were opened from an instant on, before another, after (opened_at, id); oldest first.
SELECT body FROM incidents
WHERE environment = $1 AND (opened_at > $2 OR (opened_at = $2 AND id > $3)) AND opened_at < $4
ORDER BY opened_at, id LIMIT $5

-- name: remedies_between
-- What people did about incidents that were opened from an instant on, before another.
SELECT history.kind, history.data FROM incidents
JOIN incident_history AS history ON history.incident_id = incidents.id
WHERE incidents.environment = $1 AND incidents.opened_at >= $2 AND incidents.opened_at < $3
  AND history.kind = 'remedied'
  AND ($4 = '' OR incidents.job = $4)
ORDER BY history.at, history.incident_id, history.sequence LIMIT $5

-- name: incident_upsert
INSERT INTO incidents (id, environment, project, job, group_key, state, opened_at, due_at,
                       resolved_at, version, body)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (id) DO UPDATE
SET state = excluded.state, due_at = excluded.due_at, resolved_at = excluded.resolved_at,
    version = excluded.version, body = excluded.body

-- name: incident_fact_insert
INSERT INTO incident_history (incident_id, sequence, at, kind, state, data)
VALUES ($1, $2, $3, $4, $5, $6)

-- name: incident_history
SELECT sequence, at, kind, state, data FROM incident_history
WHERE incident_id = $1 ORDER BY sequence

-- name: incident_fact
SELECT sequence, at, kind, state, data FROM incident_history
WHERE incident_id = $1 AND sequence = $2

-- name: incident_remedies
-- What people did about an incident.
SELECT kind, data FROM incident_history WHERE incident_id = $1 AND kind = 'remedied'
ORDER BY sequence

-- name: incident_history_forget
DELETE FROM incident_history
WHERE incident_id IN (SELECT id FROM incidents WHERE resolved_at < $1)

-- name: incidents_forget
DELETE FROM incidents WHERE resolved_at < $1

-- name: silences_open
-- Those of an environment that have not ended by themselves.
SELECT body FROM silences WHERE environment = $1 AND ends_at > $2 ORDER BY ends_at, id

-- name: silence_by_id
SELECT body FROM silences WHERE id = $1

-- name: silence_upsert
INSERT INTO silences (id, environment, ends_at, body) VALUES ($1, $2, $3, $4)
ON CONFLICT (id) DO UPDATE SET ends_at = excluded.ends_at, body = excluded.body

-- name: silences_forget
DELETE FROM silences WHERE ends_at < $1
