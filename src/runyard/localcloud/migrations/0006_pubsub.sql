-- Pub/Sub on this machine. Instants are microseconds since 1970 UTC.

CREATE TABLE pubsub_topic (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    project TEXT NOT NULL,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    retention_seconds BIGINT NOT NULL,
    UNIQUE (project, name)
);

-- A subscription keeps the number of a topic that is deleted, and with it what it has not delivered.
CREATE TABLE pubsub_subscription (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    project TEXT NOT NULL,
    name TEXT NOT NULL,
    topic BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    settings_json TEXT NOT NULL,
    UNIQUE (project, name)
);
CREATE INDEX pubsub_subscription_topic ON pubsub_subscription (topic);

-- The id of the next message: ids are never used again.
CREATE TABLE pubsub_sequence (next BIGINT NOT NULL);
INSERT INTO pubsub_sequence (next) VALUES (1);

CREATE TABLE pubsub_message (
    id INTEGER PRIMARY KEY,
    topic BIGINT NOT NULL,
    published_at BIGINT NOT NULL,
    ordering_key TEXT NOT NULL,
    attributes_json TEXT NOT NULL,
    data BLOB NOT NULL
);
CREATE INDEX pubsub_message_topic ON pubsub_message (topic, published_at);

-- What a subscription has to deliver. due_at: from when on, which is far away for a message that
-- waits for an earlier one of its key. ordering_key is empty where order does not matter. lease:
-- which delivery was the last, so that only that one can be acknowledged. acked_at: for what is
-- kept after it was acknowledged, or waits for an earlier one of its key to be.
CREATE TABLE pubsub_delivery (
    subscription BIGINT NOT NULL,
    message BIGINT NOT NULL,
    ordering_key TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    lease BIGINT NOT NULL DEFAULT 0,
    acked_at BIGINT,
    PRIMARY KEY (subscription, message)
) WITHOUT ROWID;
CREATE INDEX pubsub_delivery_due ON pubsub_delivery (subscription, due_at, message)
WHERE acked_at IS NULL;
CREATE INDEX pubsub_delivery_key ON pubsub_delivery (subscription, ordering_key, acked_at, message)
WHERE ordering_key <> '';
CREATE INDEX pubsub_delivery_message ON pubsub_delivery (message);
