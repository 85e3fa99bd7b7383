-- How far the logs of attempts are read that are not read to their end.
CREATE TABLE log_places (
    attempt_key TEXT   PRIMARY KEY,
    position    BIGINT NOT NULL
);
