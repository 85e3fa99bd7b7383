-- 0011_alerts.sql as PostgreSQL says it: texts are compared by their bytes.

-- Alerts, incidents with their timelines, silences. What is looked for stands in columns, all of a
-- row in `body`. Those that are over go with the retention of runs.

CREATE TABLE alerts (
    id          TEXT COLLATE "C" PRIMARY KEY,
    fingerprint TEXT COLLATE "C" NOT NULL,
    environment TEXT COLLATE "C" NOT NULL,
    project     TEXT COLLATE "C" NOT NULL,
    job         TEXT COLLATE "C" NOT NULL,
    state       TEXT COLLATE "C" NOT NULL,
    opened_at   BIGINT NOT NULL,
    due_at      BIGINT,
    resolved_at BIGINT,
    version     BIGINT NOT NULL,
    body        TEXT COLLATE "C" NOT NULL
);

-- One for each fingerprint until it is resolved.
CREATE UNIQUE INDEX alerts_open ON alerts (fingerprint) WHERE resolved_at IS NULL;
CREATE INDEX alerts_by_fingerprint ON alerts (fingerprint, resolved_at);
CREATE INDEX alerts_due ON alerts (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX alerts_newest ON alerts (environment, opened_at, id);
CREATE INDEX alerts_resolved ON alerts (resolved_at) WHERE resolved_at IS NOT NULL;

CREATE TABLE incidents (
    id          TEXT COLLATE "C" PRIMARY KEY,
    environment TEXT COLLATE "C" NOT NULL,
    project     TEXT COLLATE "C" NOT NULL,
    job         TEXT COLLATE "C" NOT NULL,
    group_key   TEXT COLLATE "C" NOT NULL,
    state       TEXT COLLATE "C" NOT NULL,
    opened_at   BIGINT NOT NULL,
    due_at      BIGINT,
    resolved_at BIGINT,
    version     BIGINT NOT NULL,
    body        TEXT COLLATE "C" NOT NULL
);

CREATE UNIQUE INDEX incidents_open ON incidents (environment, group_key) WHERE resolved_at IS NULL;
CREATE INDEX incidents_by_group ON incidents (environment, group_key, opened_at);
CREATE INDEX incidents_due ON incidents (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX incidents_newest ON incidents (environment, opened_at, id);
CREATE INDEX incidents_resolved ON incidents (resolved_at) WHERE resolved_at IS NOT NULL;

CREATE TABLE incident_history (
    incident_id TEXT COLLATE "C" NOT NULL,
    sequence    BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    kind        TEXT COLLATE "C" NOT NULL,
    state       TEXT COLLATE "C" NOT NULL,
    data        TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (incident_id, sequence)
);

CREATE TABLE silences (
    id          TEXT COLLATE "C" PRIMARY KEY,
    environment TEXT COLLATE "C" NOT NULL,
    ends_at     BIGINT NOT NULL,
    body        TEXT COLLATE "C" NOT NULL
);

CREATE INDEX silences_by_end ON silences (environment, ends_at);
