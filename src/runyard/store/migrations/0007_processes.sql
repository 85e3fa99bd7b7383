-- The processes that work on this database, each with its last sign of life. `beat` grows with
-- every sign; `seen_at` is when, by the database's own clock.
CREATE TABLE processes (
    name    TEXT   PRIMARY KEY,
    kind    TEXT   NOT NULL,
    place   TEXT   NOT NULL,
    working BIGINT NOT NULL,
    beat    BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    body    TEXT   NOT NULL
);
