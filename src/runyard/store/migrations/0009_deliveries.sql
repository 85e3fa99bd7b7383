-- Deliveries to webhooks: what came, and what became of it. `sender_key` is what tells one from the
-- others of its trigger (null: nothing does); `content` is what was sent, in base64.
CREATE TABLE deliveries (
    id          TEXT   PRIMARY KEY,
    environment TEXT   NOT NULL,
    trigger_key TEXT   NOT NULL,
    sender_key  TEXT,
    received_at BIGINT NOT NULL,
    last_at     BIGINT NOT NULL,
    fate        TEXT   NOT NULL,
    body        TEXT   NOT NULL,
    content     TEXT   NOT NULL
);

CREATE UNIQUE INDEX deliveries_by_key ON deliveries (trigger_key, sender_key);

CREATE INDEX deliveries_by_trigger ON deliveries (trigger_key, id);

CREATE INDEX deliveries_by_age ON deliveries (last_at);
