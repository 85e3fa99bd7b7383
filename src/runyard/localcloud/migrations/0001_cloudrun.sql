-- Cloud Run on this machine. Instants are microseconds since 1970 UTC; *_json carries "v", its
-- schema version, where it is ours (templates are Google's own JSON).

CREATE TABLE job (
    project TEXT NOT NULL,
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    uid TEXT NOT NULL,
    generation BIGINT NOT NULL,
    template_json TEXT NOT NULL,
    labels_json TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    execution_count BIGINT NOT NULL DEFAULT 0,
    latest_created_execution TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (project, region, name)
);

CREATE TABLE execution (
    name TEXT PRIMARY KEY,
    project TEXT NOT NULL,
    region TEXT NOT NULL,
    job TEXT NOT NULL,
    uid TEXT NOT NULL,
    generation BIGINT NOT NULL,
    request_key TEXT,
    template_json TEXT NOT NULL,
    labels_json TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    state TEXT NOT NULL,
    status_json TEXT NOT NULL,
    completed_at BIGINT,
    released BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX execution_of_job ON execution (project, region, job, created_at);
CREATE INDEX execution_active ON execution (created_at) WHERE completed_at IS NULL;

-- What was asked for under a key: an execution, or (withdrawn) never anything.
CREATE TABLE request (
    request_key TEXT PRIMARY KEY,
    execution TEXT,
    withdrawn_at BIGINT
);

-- Only tasks that were started at least once have a row.
CREATE TABLE task (
    execution TEXT NOT NULL,
    task_index BIGINT NOT NULL,
    state TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    spawner TEXT NOT NULL,
    started_at BIGINT,
    ended_at BIGINT,
    exit_code BIGINT,
    signal BIGINT,
    timed_out BIGINT NOT NULL,
    out_of_memory BIGINT NOT NULL,
    lost BIGINT NOT NULL,
    message TEXT NOT NULL,
    cpu_milliseconds BIGINT NOT NULL,
    memory_peak_bytes BIGINT NOT NULL,
    PRIMARY KEY (execution, task_index)
);
CREATE INDEX task_open ON task (execution, task_index) WHERE state IN ('pending', 'running');
