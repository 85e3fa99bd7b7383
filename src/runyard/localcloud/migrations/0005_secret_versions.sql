-- Secrets with states, aliases, labels and a data key for each version; every access recorded.
-- The projects of an environment keep their secrets in one project, `local` for the one there was.

CREATE TABLE secret (
    project TEXT NOT NULL,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    newest BIGINT NOT NULL,
    changes BIGINT NOT NULL,
    labels_json TEXT NOT NULL,
    aliases_json TEXT NOT NULL,
    PRIMARY KEY (project, name)
);
INSERT INTO secret (project, name, created_at, newest, changes, labels_json, aliases_json)
SELECT 'local', name, min(created_at), max(version), 1, '{}', '{}'
FROM secret_version GROUP BY name;

-- retired: it was disabled because the job that its secret belongs to was deleted.
-- key_id: which key sealed key_sealed, the version's own key, which sealed the value. An empty
-- key_id: the value was sealed by the one key that there was then (form 1), until it is sealed anew.
ALTER TABLE secret_version RENAME TO secret_version_before;
CREATE TABLE secret_version (
    project TEXT NOT NULL,
    name TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    state TEXT NOT NULL,
    destroyed_at BIGINT,
    retired BIGINT NOT NULL DEFAULT 0,
    key_id TEXT NOT NULL,
    key_sealed BLOB,
    sealed BLOB,
    PRIMARY KEY (project, name, version)
);
INSERT INTO secret_version (project, name, version, created_at, state, key_id, sealed)
SELECT 'local', name, version, created_at, 'ENABLED', '', sealed FROM secret_version_before;
DROP TABLE secret_version_before;

CREATE TABLE secret_access (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at BIGINT NOT NULL,
    project TEXT NOT NULL,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    found BIGINT NOT NULL,
    member TEXT NOT NULL,
    outcome TEXT NOT NULL,
    execution TEXT NOT NULL,
    attempt TEXT NOT NULL
);
CREATE INDEX secret_access_name ON secret_access (project, name, number);
CREATE INDEX secret_access_at ON secret_access (at);

-- What this cloud knows of itself: its identity, and which of its duties are done.
CREATE TABLE cloud_fact (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
