-- Dead letters: one for each dead run, kept as long as its run; and replays of several of them.
-- What is looked for stands in columns, all of a row in `body`. `settled_at` is null in the queue.
CREATE TABLE dead_letters (
    run_id        TEXT   PRIMARY KEY,
    environment   TEXT   NOT NULL,
    project       TEXT   NOT NULL,
    job           TEXT   NOT NULL,
    failure_class TEXT   NOT NULL,
    fingerprint   TEXT   NOT NULL,
    state         TEXT   NOT NULL,
    died_at       BIGINT NOT NULL,
    settled_at    BIGINT,
    replay_id     TEXT   NOT NULL,
    version       BIGINT NOT NULL,
    body          TEXT   NOT NULL
);

CREATE INDEX dead_letters_newest ON dead_letters (died_at, run_id);
CREATE INDEX dead_letters_by_job ON dead_letters (environment, job, died_at, run_id);
CREATE INDEX dead_letters_by_group ON dead_letters (fingerprint, died_at, run_id);
CREATE INDEX dead_letters_queued ON dead_letters (died_at) WHERE settled_at IS NULL;
CREATE INDEX dead_letters_chosen ON dead_letters (replay_id, died_at, run_id)
    WHERE state = 'chosen';

CREATE TABLE replays (
    id           TEXT   PRIMARY KEY,
    environment  TEXT   NOT NULL,
    state        TEXT   NOT NULL,
    due_at       BIGINT,
    ended_at     BIGINT,
    version      BIGINT NOT NULL,
    body         TEXT   NOT NULL
);

CREATE INDEX replays_due ON replays (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX replays_ended ON replays (ended_at) WHERE ended_at IS NOT NULL;
