-- Where the runs of this database run: a cloud on one machine. One row.
CREATE TABLE home (
    number BIGINT PRIMARY KEY,
    cloud  TEXT COLLATE "C" NOT NULL,
    place  TEXT COLLATE "C" NOT NULL
);
