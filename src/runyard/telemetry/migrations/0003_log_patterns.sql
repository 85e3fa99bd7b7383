-- What error lines of a job have in common. `examples` is a JSON list of [at, attempt_key, text].
CREATE TABLE log_patterns (
    environment   TEXT   NOT NULL,
    project       TEXT   NOT NULL,
    job           TEXT   NOT NULL,
    id            TEXT   NOT NULL,
    template      TEXT   NOT NULL,
    first_seen_at BIGINT NOT NULL,
    last_seen_at  BIGINT NOT NULL,
    count         BIGINT NOT NULL,
    examples      TEXT   NOT NULL,
    PRIMARY KEY (environment, project, job, id)
);
CREATE INDEX log_patterns_by_age ON log_patterns (last_seen_at);
