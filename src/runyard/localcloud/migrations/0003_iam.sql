-- IAM on this machine. Instants are microseconds since 1970 UTC.

-- A deleted account is kept for 30 days, in which it can be had back. kept = 0: made for a job,
-- and goes with the last one.
CREATE TABLE service_account (
    unique_id TEXT PRIMARY KEY,
    email TEXT NOT NULL,
    project TEXT NOT NULL,
    display_name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    disabled BIGINT NOT NULL DEFAULT 0,
    deleted_at BIGINT,
    kept BIGINT NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX service_account_email ON service_account (email) WHERE deleted_at IS NULL;
CREATE INDEX service_account_project ON service_account (project, email);

-- Policies: version counts the changes of one; a resource without a row has no policy.
CREATE TABLE iam_policy (
    resource TEXT PRIMARY KEY,
    version BIGINT NOT NULL
);
CREATE TABLE iam_grant (
    resource TEXT NOT NULL,
    role TEXT NOT NULL,
    member TEXT NOT NULL,
    PRIMARY KEY (resource, role, member)
);
CREATE INDEX iam_grant_member ON iam_grant (member);

-- For whose sake (a job's) a grant or an account is there; what no row names was made by a person.
CREATE TABLE iam_hold (
    holder TEXT NOT NULL,
    resource TEXT NOT NULL,
    role TEXT NOT NULL,
    member TEXT NOT NULL,
    PRIMARY KEY (holder, resource, role, member)
);
CREATE INDEX iam_hold_grant ON iam_hold (resource, role, member);
