-- Where the runs of this database run: a cloud on one machine. One row.
CREATE TABLE home (
    number BIGINT PRIMARY KEY,
    cloud  TEXT   NOT NULL,
    place  TEXT   NOT NULL
);
