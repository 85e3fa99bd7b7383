-- 0009_deliveries.sql as PostgreSQL says it: texts are compared by their bytes.

-- Deliveries to webhooks: what came, and what became of it. `sender_key` is what tells one from the
-- others of its trigger (null: nothing does); `content` is what was sent, in base64.
CREATE TABLE deliveries (
    id          TEXT COLLATE "C" PRIMARY KEY,
    environment TEXT COLLATE "C" NOT NULL,
    trigger_key TEXT COLLATE "C" NOT NULL,
    sender_key  TEXT COLLATE "C",
    received_at BIGINT NOT NULL,
    last_at     BIGINT NOT NULL,
    fate        TEXT COLLATE "C" NOT NULL,
    body        TEXT COLLATE "C" NOT NULL,
    content     TEXT COLLATE "C" NOT NULL
);

CREATE UNIQUE INDEX deliveries_by_key ON deliveries (trigger_key, sender_key);

CREATE INDEX deliveries_by_trigger ON deliveries (trigger_key, id);

CREATE INDEX deliveries_by_age ON deliveries (last_at);
