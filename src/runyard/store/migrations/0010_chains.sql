-- Which triggers are told when runs of a job end. `source` is the job and `trigger_key` the
-- trigger, each as a path.
CREATE TABLE trigger_sources (
    source      TEXT NOT NULL,
    trigger_key TEXT NOT NULL,
    kind        TEXT NOT NULL,
    PRIMARY KEY (source, trigger_key)
);

CREATE INDEX trigger_sources_by_trigger ON trigger_sources (trigger_key);
