-- name: secret_get
SELECT project, name, created_at, newest, changes, labels_json, aliases_json
FROM secret WHERE project = $1 AND name = $2;

-- name: secrets_of_project
SELECT project, name, created_at, newest, changes, labels_json, aliases_json
FROM secret WHERE project = $1 ORDER BY name;

-- name: secret_put
INSERT INTO secret (project, name, created_at, newest, changes, labels_json, aliases_json)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (project, name) DO UPDATE SET
    newest = excluded.newest, changes = excluded.changes, labels_json = excluded.labels_json,
    aliases_json = excluded.aliases_json;

-- name: secret_delete
DELETE FROM secret WHERE project = $1 AND name = $2;

-- name: version_add
INSERT INTO secret_version (project, name, version, created_at, state, key_id, key_sealed, sealed)
VALUES ($1, $2, $3, $4, 'ENABLED', $5, $6, $7);

-- name: version_get
SELECT version, state, created_at, destroyed_at
FROM secret_version WHERE project = $1 AND name = $2 AND version = $3;

-- name: versions_of_secret
SELECT version, state, created_at, destroyed_at
FROM secret_version WHERE project = $1 AND name = $2 ORDER BY version DESC;

-- name: version_state
UPDATE secret_version SET state = $4, retired = 0
WHERE project = $1 AND name = $2 AND version = $3;

-- name: versions_retire
UPDATE secret_version SET state = 'DISABLED', retired = 1
WHERE project = $1 AND name = $2 AND state = 'ENABLED';

-- name: versions_restore
UPDATE secret_version SET state = 'ENABLED', retired = 0
WHERE project = $1 AND name = $2 AND retired = 1 AND state = 'DISABLED';

-- name: version_destroy
-- The value and its key are gone with this, not only out of sight.
UPDATE secret_version
SET state = 'DESTROYED', destroyed_at = $4, key_id = '', key_sealed = NULL, sealed = NULL
WHERE project = $1 AND name = $2 AND version = $3;

-- name: versions_delete
DELETE FROM secret_version WHERE project = $1 AND name = $2;

-- name: version_sealed
SELECT project, name, version, key_id, key_sealed, sealed
FROM secret_version WHERE project = $1 AND name = $2 AND version = $3;

-- name: versions_sealed_otherwise
-- Those after a place that another key than one sealed, in order.
SELECT project, name, version, key_id, key_sealed, sealed FROM secret_version
WHERE key_id <> $1 AND sealed IS NOT NULL AND (project, name, version) > ($2, $3, $4)
ORDER BY project, name, version LIMIT $5;

-- name: version_seal
UPDATE secret_version SET key_id = $4, key_sealed = $5, sealed = $6
WHERE project = $1 AND name = $2 AND version = $3 AND sealed IS NOT NULL;

-- name: access_add
INSERT INTO secret_access (at, project, name, version, found, member, outcome, execution, attempt)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: accesses_of_secret
SELECT number, at, name, version, found, member, outcome, execution, attempt FROM secret_access
WHERE project = $1 AND name = $2 AND number < $3 ORDER BY number DESC LIMIT $4;

-- name: accesses_of_project
SELECT number, at, name, version, found, member, outcome, execution, attempt FROM secret_access
WHERE project = $1 AND number < $2 ORDER BY number DESC LIMIT $3;

-- name: accesses_purge
DELETE FROM secret_access WHERE at < $1;

-- name: fact_get
SELECT value FROM cloud_fact WHERE name = $1;

-- name: fact_put
INSERT INTO cloud_fact (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING;
