-- Alerts, incidents with their timelines, silences. What is looked for stands in columns, all of a
-- row in `body`. Those that are over go with the retention of runs.

CREATE TABLE alerts (
    id          TEXT   PRIMARY KEY,
    fingerprint TEXT   NOT NULL,
    environment TEXT   NOT NULL,
    project     TEXT   NOT NULL,
    job         TEXT   NOT NULL,
    state       TEXT   NOT NULL,
    opened_at   BIGINT NOT NULL,
    due_at      BIGINT,
    resolved_at BIGINT,
    version     BIGINT NOT NULL,
    body        TEXT   NOT NULL
);

-- One for each fingerprint until it is resolved.
CREATE UNIQUE INDEX alerts_open ON alerts (fingerprint) WHERE resolved_at IS NULL;
CREATE INDEX alerts_by_fingerprint ON alerts (fingerprint, resolved_at);
CREATE INDEX alerts_due ON alerts (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX alerts_newest ON alerts (environment, opened_at, id);
CREATE INDEX alerts_resolved ON alerts (resolved_at) WHERE resolved_at IS NOT NULL;

CREATE TABLE incidents (
    id          TEXT   PRIMARY KEY,
    environment TEXT   NOT NULL,
    project     TEXT   NOT NULL,
    job         TEXT   NOT NULL,
    group_key   TEXT   NOT NULL,
    state       TEXT   NOT NULL,
    opened_at   BIGINT NOT NULL,
    due_at      BIGINT,
    resolved_at BIGINT,
    version     BIGINT NOT NULL,
    body        TEXT   NOT NULL
);

CREATE UNIQUE INDEX incidents_open ON incidents (environment, group_key) WHERE resolved_at IS NULL;
CREATE INDEX incidents_by_group ON incidents (environment, group_key, opened_at);
CREATE INDEX incidents_due ON incidents (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX incidents_newest ON incidents (environment, opened_at, id);
CREATE INDEX incidents_resolved ON incidents (resolved_at) WHERE resolved_at IS NOT NULL;

CREATE TABLE incident_history (
    incident_id TEXT   NOT NULL,
    sequence    BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    kind        TEXT   NOT NULL,
    state       TEXT   NOT NULL,
    data        TEXT   NOT NULL,
    PRIMARY KEY (incident_id, sequence)
);

CREATE TABLE silences (
    id          TEXT   PRIMARY KEY,
    environment TEXT   NOT NULL,
    ends_at     BIGINT NOT NULL,
    body        TEXT   NOT NULL
);

CREATE INDEX silences_by_end ON silences (environment, ends_at);
