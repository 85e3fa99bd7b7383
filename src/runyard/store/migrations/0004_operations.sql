-- Operations, and where each job stands: who is changing it, why it may not run, its conditions.

ALTER TABLE jobs ADD COLUMN operation  TEXT   NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN blocked    TEXT   NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN conditions TEXT   NOT NULL DEFAULT '[]';

-- Deleted jobs. Until they are purged they can be had back; then their document is null, and the
-- number of their last revision is all that is known of them.
CREATE TABLE deleted_jobs (
    project     TEXT   NOT NULL,
    environment TEXT   NOT NULL,
    name        TEXT   NOT NULL,
    revision    BIGINT NOT NULL,
    document    TEXT   NOT NULL,
    deleted_at  BIGINT NOT NULL,
    deleted_by  TEXT   NOT NULL,
    purge_at    BIGINT NOT NULL,
    operation   TEXT   NOT NULL,
    PRIMARY KEY (project, environment, name)
);

CREATE INDEX deleted_jobs_by_purge ON deleted_jobs (purge_at) WHERE document <> 'null';

-- `asked` never changes after the row is made; `body` changes with the row.
CREATE TABLE operations (
    id           TEXT   PRIMARY KEY,
    kind         TEXT   NOT NULL,
    environment  TEXT   NOT NULL,
    state        TEXT   NOT NULL,
    requested_by TEXT   NOT NULL,
    requested_at BIGINT NOT NULL,
    due_at       BIGINT,
    ended_at     BIGINT,
    version      BIGINT NOT NULL,
    asked        TEXT   NOT NULL,
    body         TEXT   NOT NULL,
    fence        BIGINT NOT NULL
);

CREATE INDEX operations_newest ON operations (environment, requested_at, id);
CREATE INDEX operations_by_fence ON operations (fence);
CREATE INDEX operations_due ON operations (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX operations_ended ON operations (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE operation_jobs (
    environment  TEXT NOT NULL,
    name         TEXT NOT NULL,
    project      TEXT NOT NULL,
    operation_id TEXT NOT NULL,
    PRIMARY KEY (environment, name, project, operation_id)
);

CREATE INDEX operation_jobs_by_operation ON operation_jobs (operation_id);

-- One fact for every decision; `sequence` is the row's version after it.
CREATE TABLE operation_history (
    operation_id TEXT   NOT NULL,
    sequence     BIGINT NOT NULL,
    at           BIGINT NOT NULL,
    kind         TEXT   NOT NULL,
    state        TEXT   NOT NULL,
    data         TEXT   NOT NULL,
    PRIMARY KEY (operation_id, sequence)
);
