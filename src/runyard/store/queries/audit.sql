-- name: audit_head
SELECT sequence, digest FROM audit ORDER BY sequence DESC LIMIT 1

-- name: audit_insert
INSERT INTO audit (sequence, at, by_whom, action, target, environment, entry, previous, digest)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: audit_count
SELECT count(*) FROM audit

-- name: audit_following
-- Ordered by the chain; what was put in at a number that is taken comes twice.
SELECT sequence, at, by_whom, action, target, environment, entry, previous, digest
FROM audit WHERE sequence > $1 ORDER BY sequence LIMIT $2

-- name: audit_page
-- The conditions, the order and the limit are added by `store.audit`.
SELECT sequence, at, by_whom, action, target, environment, entry, previous, digest FROM audit
