-- 0005_people.sql as PostgreSQL says it.

-- Who may do what, and the audit log of control changes. A token's row never holds the token.

CREATE TABLE principals (
    name       TEXT COLLATE "C" PRIMARY KEY,
    kind       TEXT COLLATE "C" NOT NULL,
    disabled   BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT COLLATE "C" NOT NULL,
    body       TEXT COLLATE "C" NOT NULL
);

CREATE TABLE tokens (
    id           TEXT COLLATE "C" PRIMARY KEY,
    principal    TEXT COLLATE "C" NOT NULL,
    digest       TEXT COLLATE "C" NOT NULL,
    created_at   BIGINT NOT NULL,
    created_by   TEXT COLLATE "C" NOT NULL,
    expires_at   BIGINT,
    revoked_at   BIGINT,
    last_used_at BIGINT,
    body         TEXT COLLATE "C" NOT NULL
);

CREATE INDEX tokens_by_principal ON tokens (principal, id);

-- Open and past exceptions to the guards of an environment.
CREATE TABLE guard_exceptions (
    id          TEXT COLLATE "C" PRIMARY KEY,
    environment TEXT COLLATE "C" NOT NULL,
    by_whom     TEXT COLLATE "C" NOT NULL,
    opened_at   BIGINT NOT NULL,
    closes_at   BIGINT NOT NULL,
    closed_at   BIGINT,
    body        TEXT COLLATE "C" NOT NULL
);

CREATE INDEX guard_exceptions_by_end ON guard_exceptions (closes_at);

-- A chain: each entry's text names its number and the digest of the entry before it. The columns
-- beside the text are for finding entries, and say the same.
CREATE TABLE audit (
    sequence    BIGINT PRIMARY KEY,
    at          BIGINT NOT NULL,
    by_whom     TEXT COLLATE "C" NOT NULL,
    action      TEXT COLLATE "C" NOT NULL,
    target      TEXT COLLATE "C" NOT NULL,
    environment TEXT COLLATE "C" NOT NULL,
    entry       TEXT COLLATE "C" NOT NULL,
    previous    TEXT COLLATE "C" NOT NULL,
    digest      TEXT COLLATE "C" NOT NULL
);

CREATE INDEX audit_by_whom ON audit (by_whom, sequence);
CREATE INDEX audit_by_target ON audit (target, sequence);

CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS '
BEGIN
    RAISE EXCEPTION ''the audit log is append-only'';
END';

CREATE TRIGGER audit_keeps_entries BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_is_append_only();

CREATE TRIGGER audit_loses_nothing BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
