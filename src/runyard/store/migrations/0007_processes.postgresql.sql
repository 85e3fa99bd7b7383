-- The processes that work on this database, each with its last sign of life. `beat` grows with
-- every sign; `seen_at` is when, by the database's own clock.
CREATE TABLE processes (
    name    TEXT COLLATE "C" PRIMARY KEY,
    kind    TEXT COLLATE "C" NOT NULL,
    place   TEXT COLLATE "C" NOT NULL,
    working BIGINT NOT NULL,
    beat    BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    body    TEXT COLLATE "C" NOT NULL
);
