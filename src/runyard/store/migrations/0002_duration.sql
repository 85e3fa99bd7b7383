-- The list of runs by their duration, without reading all of them.
CREATE INDEX runs_by_duration ON runs ((ended_at - started_at), id)
    WHERE ended_at IS NOT NULL AND started_at IS NOT NULL;
