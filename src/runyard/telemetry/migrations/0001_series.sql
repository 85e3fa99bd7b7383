-- A line of a chart. `id` is made of all the rest, so that several processes need not ask.
CREATE TABLE series (
    id          INTEGER PRIMARY KEY,
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
    series  INTEGER NOT NULL,
    step    INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    writer  TEXT NOT NULL,
    count   INTEGER NOT NULL,
    total   REAL NOT NULL,
    low     REAL NOT NULL,
    high    REAL NOT NULL,
    buckets TEXT NOT NULL,
    PRIMARY KEY (series, step, at, writer)
) WITHOUT ROWID;
CREATE INDEX points_by_age ON points (step, at);
