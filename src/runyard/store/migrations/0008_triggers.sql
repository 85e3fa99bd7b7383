-- Triggers of the jobs in force, what became of each of their instants, and whose runs are whose.

ALTER TABLE runs ADD COLUMN trigger_key TEXT NOT NULL DEFAULT '';

CREATE INDEX runs_live_by_trigger ON runs (trigger_key, id)
    WHERE ended_at IS NULL AND trigger_key <> '';

-- `document` is the trigger as its job's manifest has it; `body` changes with the row. `next_at` is
-- when it has to be looked at: null when it never has.
CREATE TABLE triggers (
    environment TEXT   NOT NULL,
    job         TEXT   NOT NULL,
    project     TEXT   NOT NULL,
    name        TEXT   NOT NULL,
    kind        TEXT   NOT NULL,
    state       TEXT   NOT NULL,
    next_at     BIGINT,
    version     BIGINT NOT NULL,
    document    TEXT   NOT NULL,
    body        TEXT   NOT NULL,
    PRIMARY KEY (environment, job, project, name)
);

CREATE INDEX triggers_due ON triggers (next_at) WHERE next_at IS NOT NULL;

-- What a trigger was asked for by time, and what became of it. A row is one instant, or `count`
-- of them up to `last_at` that share a reason. `origin` tells a second look at the same instant (a
-- backfill, by hand) from the first.
CREATE TABLE instants (
    trigger_key TEXT   NOT NULL,
    at          BIGINT NOT NULL,
    origin      TEXT   NOT NULL,
    last_at     BIGINT NOT NULL,
    count       BIGINT NOT NULL,
    fate        TEXT   NOT NULL,
    reason      TEXT   NOT NULL,
    run_ids     TEXT   NOT NULL,
    decided_at  BIGINT NOT NULL,
    PRIMARY KEY (trigger_key, at, origin)
);

CREATE INDEX instants_by_decision ON instants (decided_at);
