-- name: secret_newest
SELECT coalesce(max(version), 0) FROM secret_version WHERE name = $1;

-- name: secret_add
INSERT INTO secret_version (name, version, created_at, sealed) VALUES ($1, $2, $3, $4);

-- name: secret_get
SELECT version, sealed FROM secret_version WHERE name = $1 AND version = $2;

-- name: secret_get_latest
SELECT version, sealed FROM secret_version WHERE name = $1 ORDER BY version DESC LIMIT 1;

-- name: secret_names
SELECT name, max(version) FROM secret_version GROUP BY name ORDER BY name;
