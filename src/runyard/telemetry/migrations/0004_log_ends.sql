-- When an attempt ended whose log is read to its end. Such a place is kept for a while, so that what
-- was read is told from what nobody began to read.
ALTER TABLE log_places ADD COLUMN ended_at BIGINT;
