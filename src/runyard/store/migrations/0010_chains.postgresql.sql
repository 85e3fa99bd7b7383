-- 0010_chains.sql as PostgreSQL says it: texts are compared by their bytes.

-- Which triggers are told when runs of a job end. `source` is the job and `trigger_key` the
-- trigger, each as a path.
CREATE TABLE trigger_sources (
    source      TEXT COLLATE "C" NOT NULL,
    trigger_key TEXT COLLATE "C" NOT NULL,
    kind        TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (source, trigger_key)
);

CREATE INDEX trigger_sources_by_trigger ON trigger_sources (trigger_key);
