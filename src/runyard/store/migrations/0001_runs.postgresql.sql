-- 0001_runs.sql as PostgreSQL says it. Texts are compared by their bytes, as SQLite does and as
-- Python sorts: prefixes of ids and pages of names depend on it, whatever the database's locale.

-- Jobs as applied, runs with all that follows from them. Instants are microseconds since 1970 UTC,
-- money is nano-dollars, documents are JSON text with their own version under "v".

CREATE TABLE jobs (
    project     TEXT COLLATE "C" NOT NULL,
    environment TEXT COLLATE "C" NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    revision    BIGINT NOT NULL,
    document    TEXT COLLATE "C" NOT NULL,
    applied_at  BIGINT NOT NULL,
    applied_by  TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (project, environment, name)
);

CREATE INDEX jobs_by_name ON jobs (environment, name);

-- Revisions are never changed: a run keeps the revision it was asked for with.
CREATE TABLE revisions (
    project     TEXT COLLATE "C" NOT NULL,
    environment TEXT COLLATE "C" NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    revision    BIGINT NOT NULL,
    document    TEXT COLLATE "C" NOT NULL,
    applied_at  BIGINT NOT NULL,
    applied_by  TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (project, environment, name, revision)
);

-- `asked` never changes after the row is made; `body` changes with the row.
CREATE TABLE runs (
    id                TEXT COLLATE "C" PRIMARY KEY,
    project           TEXT COLLATE "C" NOT NULL,
    environment       TEXT COLLATE "C" NOT NULL,
    job               TEXT COLLATE "C" NOT NULL,
    revision          BIGINT NOT NULL,
    region            TEXT COLLATE "C" NOT NULL,
    state             TEXT COLLATE "C" NOT NULL,
    trigger_kind      TEXT COLLATE "C" NOT NULL,
    requested_at      BIGINT NOT NULL,
    rank_at           BIGINT NOT NULL,
    due_at            BIGINT,
    waiting_on        TEXT COLLATE "C" NOT NULL,
    concurrency_slot  TEXT COLLATE "C" NOT NULL,
    deadline_at       BIGINT,
    started_at        BIGINT,
    ended_at          BIGINT,
    attempt           BIGINT NOT NULL,
    cost_nano_dollars BIGINT NOT NULL,
    version           BIGINT NOT NULL,
    asked             TEXT COLLATE "C" NOT NULL,
    body              TEXT COLLATE "C" NOT NULL
);

CREATE INDEX runs_due ON runs (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX runs_deadline ON runs (deadline_at) WHERE ended_at IS NULL AND deadline_at IS NOT NULL;
CREATE INDEX runs_waiting ON runs (waiting_on, rank_at) WHERE waiting_on <> '';
CREATE INDEX runs_live_by_slot ON runs (concurrency_slot, id)
    WHERE ended_at IS NULL AND concurrency_slot <> '';
CREATE INDEX runs_live ON runs (state, id) WHERE ended_at IS NULL;
CREATE INDEX runs_ended ON runs (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX runs_newest ON runs (requested_at, id);
CREATE INDEX runs_by_job ON runs (job, requested_at, id);
CREATE INDEX runs_by_state ON runs (state, requested_at, id);

CREATE TABLE run_labels (
    key    TEXT COLLATE "C" NOT NULL,
    value  TEXT COLLATE "C" NOT NULL,
    run_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (key, value, run_id)
);

CREATE INDEX run_labels_by_run ON run_labels (run_id);

-- One fact for every decision; `sequence` is the row's version after it.
CREATE TABLE history (
    run_id   TEXT COLLATE "C" NOT NULL,
    sequence BIGINT NOT NULL,
    at       BIGINT NOT NULL,
    kind     TEXT COLLATE "C" NOT NULL,
    state    TEXT COLLATE "C" NOT NULL,
    data     TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (run_id, sequence)
);

-- Effects asked for and not yet done. Claimed by one engine until `claimed_until`.
CREATE TABLE outbox (
    id            TEXT COLLATE "C" PRIMARY KEY,
    run_id        TEXT COLLATE "C" NOT NULL,
    kind          TEXT COLLATE "C" NOT NULL,
    data          TEXT COLLATE "C" NOT NULL,
    due_at        BIGINT NOT NULL,
    tries         BIGINT NOT NULL,
    claimed_by    TEXT COLLATE "C" NOT NULL,
    claimed_until BIGINT NOT NULL
);

CREATE INDEX outbox_due ON outbox (due_at);
CREATE INDEX outbox_by_run ON outbox (run_id);

-- The ledger: one line for every attempt, never changed.
CREATE TABLE charges (
    attempt_key         TEXT COLLATE "C" PRIMARY KEY,
    run_id              TEXT COLLATE "C" NOT NULL,
    project             TEXT COLLATE "C" NOT NULL,
    environment         TEXT COLLATE "C" NOT NULL,
    job                 TEXT COLLATE "C" NOT NULL,
    region              TEXT COLLATE "C" NOT NULL,
    at                  BIGINT NOT NULL,
    vcpu_nano_dollars   BIGINT NOT NULL,
    memory_nano_dollars BIGINT NOT NULL,
    body                TEXT COLLATE "C" NOT NULL
);

CREATE INDEX charges_by_run ON charges (run_id);
CREATE INDEX charges_by_time ON charges (at);

-- Room for so many at once. `used` counts the runs that `flow.lifecycle.held` says hold it.
CREATE TABLE slots (
    name     TEXT COLLATE "C" PRIMARY KEY,
    capacity BIGINT NOT NULL,
    used     BIGINT NOT NULL
);

-- Idempotency keys: the same key gets the same runs.
CREATE TABLE request_keys (
    environment TEXT COLLATE "C" NOT NULL,
    key         TEXT COLLATE "C" NOT NULL,
    digest      TEXT COLLATE "C" NOT NULL,
    run_ids     TEXT COLLATE "C" NOT NULL,
    at          BIGINT NOT NULL,
    PRIMARY KEY (environment, key)
);

CREATE INDEX request_keys_by_time ON request_keys (at);
