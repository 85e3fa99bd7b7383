-- name: principals
SELECT name, kind, disabled, created_at, created_by, body FROM principals ORDER BY name

-- name: principal_by_name
SELECT name, kind, disabled, created_at, created_by, body FROM principals WHERE name = $1

-- name: principal_upsert
INSERT INTO principals (name, kind, disabled, created_at, created_by, body)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (name) DO UPDATE
SET kind = excluded.kind, disabled = excluded.disabled, body = excluded.body

-- name: token_by_id
SELECT id, principal, digest, created_at, created_by, expires_at, revoked_at, last_used_at, body
FROM tokens WHERE id = $1

-- name: tokens_of
SELECT id, principal, digest, created_at, created_by, expires_at, revoked_at, last_used_at, body
FROM tokens WHERE principal = $1 ORDER BY id

-- name: tokens
SELECT id, principal, digest, created_at, created_by, expires_at, revoked_at, last_used_at, body
FROM tokens ORDER BY id

-- name: token_upsert
INSERT INTO tokens
    (id, principal, digest, created_at, created_by, expires_at, revoked_at, last_used_at, body)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (id) DO UPDATE
SET expires_at = excluded.expires_at, revoked_at = excluded.revoked_at,
    last_used_at = excluded.last_used_at

-- name: guard_exceptions_open
SELECT id, environment, by_whom, opened_at, closes_at, closed_at, body
FROM guard_exceptions WHERE closes_at > $1 AND closed_at IS NULL ORDER BY id

-- name: guard_exception_by_id
SELECT id, environment, by_whom, opened_at, closes_at, closed_at, body
FROM guard_exceptions WHERE id = $1

-- name: guard_exception_upsert
INSERT INTO guard_exceptions (id, environment, by_whom, opened_at, closes_at, closed_at, body)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (id) DO UPDATE SET closed_at = excluded.closed_at, body = excluded.body
