-- Runs that wait for something else than their instant are looked at from time to time.
ALTER TABLE runs ADD COLUMN look_at BIGINT;
CREATE INDEX runs_by_look ON runs (look_at) WHERE look_at IS NOT NULL;
