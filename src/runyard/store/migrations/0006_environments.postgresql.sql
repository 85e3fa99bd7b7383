-- Environments as applied, and their revisions, which are never changed. One that has no row is on
-- this machine and has no guards.
CREATE TABLE environments (
    project    TEXT COLLATE "C" NOT NULL,
    name       TEXT COLLATE "C" NOT NULL,
    revision   BIGINT NOT NULL,
    body       TEXT COLLATE "C" NOT NULL,
    applied_at BIGINT NOT NULL,
    applied_by TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (project, name)
);

CREATE TABLE environment_revisions (
    project    TEXT COLLATE "C" NOT NULL,
    name       TEXT COLLATE "C" NOT NULL,
    revision   BIGINT NOT NULL,
    body       TEXT COLLATE "C" NOT NULL,
    applied_at BIGINT NOT NULL,
    applied_by TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (project, name, revision)
);
