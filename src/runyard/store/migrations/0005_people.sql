-- Who may do what, and the audit log of control changes. A token's row never holds the token.

CREATE TABLE principals (
    name       TEXT   PRIMARY KEY,
    kind       TEXT   NOT NULL,
    disabled   BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT   NOT NULL,
    body       TEXT   NOT NULL
);

CREATE TABLE tokens (
    id           TEXT   PRIMARY KEY,
    principal    TEXT   NOT NULL,
    digest       TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    created_by   TEXT   NOT NULL,
    expires_at   BIGINT,
    revoked_at   BIGINT,
    last_used_at BIGINT,
    body         TEXT   NOT NULL
);

CREATE INDEX tokens_by_principal ON tokens (principal, id);

-- Open and past exceptions to the guards of an environment.
CREATE TABLE guard_exceptions (
    id          TEXT   PRIMARY KEY,
    environment TEXT   NOT NULL,
    by_whom     TEXT   NOT NULL,
    opened_at   BIGINT NOT NULL,
    closes_at   BIGINT NOT NULL,
    closed_at   BIGINT,
    body        TEXT   NOT NULL
);

CREATE INDEX guard_exceptions_by_end ON guard_exceptions (closes_at);

-- A chain: each entry's text names its number and the digest of the entry before it. The columns
-- beside the text are for finding entries, and say the same.
CREATE TABLE audit (
    sequence    BIGINT PRIMARY KEY,
    at          BIGINT NOT NULL,
    by_whom     TEXT   NOT NULL,
    action      TEXT   NOT NULL,
    target      TEXT   NOT NULL,
    environment TEXT   NOT NULL,
    entry       TEXT   NOT NULL,
    previous    TEXT   NOT NULL,
    digest      TEXT   NOT NULL
);

CREATE INDEX audit_by_whom ON audit (by_whom, sequence);
CREATE INDEX audit_by_target ON audit (target, sequence);

CREATE TRIGGER audit_keeps_entries BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;

CREATE TRIGGER audit_loses_nothing BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
