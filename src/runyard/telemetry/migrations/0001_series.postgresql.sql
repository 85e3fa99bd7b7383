-- A line of a chart. `id` is made of all the rest, so that several processes need not ask.
CREATE TABLE series (
    id          BIGINT PRIMARY KEY,
    environment TEXT NOT NULL,
    project     TEXT NOT NULL,
    job         TEXT NOT NULL,
    region      TEXT NOT NULL,
    metric      TEXT NOT NULL,
    labels      TEXT NOT NULL
);
CREATE INDEX series_of_job ON series (environment, job, metric);

-- What was seen in the `step` seconds from `at` (microseconds) on, by one process (`writer`).
CREATE TABLE points (
    series  BIGINT NOT NULL,
    step    BIGINT NOT NULL,
    at      BIGINT NOT NULL,
    writer  TEXT NOT NULL,
    count   BIGINT NOT NULL,
    total   DOUBLE PRECISION NOT NULL,
    low     DOUBLE PRECISION NOT NULL,
    high    DOUBLE PRECISION NOT NULL,
    buckets TEXT NOT NULL,
    PRIMARY KEY (series, step, at, writer)
);
CREATE INDEX points_by_age ON points (step, at);
