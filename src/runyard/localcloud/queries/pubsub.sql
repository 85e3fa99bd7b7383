-- name: topic_get
SELECT number, project, name, created_at, retention_seconds
FROM pubsub_topic WHERE project = $1 AND name = $2;

-- name: topics_of_project
SELECT number, project, name, created_at, retention_seconds
FROM pubsub_topic WHERE project = $1 ORDER BY name;

-- name: topics_every
SELECT number, project, name, created_at, retention_seconds FROM pubsub_topic ORDER BY number;

-- name: topic_add
INSERT INTO pubsub_topic (project, name, created_at, retention_seconds) VALUES ($1, $2, $3, $4)
RETURNING number;

-- name: topic_delete
DELETE FROM pubsub_topic WHERE number = $1;

-- name: subscription_get
SELECT s.number, s.project, s.name, s.topic, t.name, coalesce(t.retention_seconds, 0),
    s.created_at, s.settings_json
FROM pubsub_subscription s LEFT JOIN pubsub_topic t ON t.number = s.topic
WHERE s.project = $1 AND s.name = $2;

-- name: subscriptions_of_project
SELECT s.number, s.project, s.name, s.topic, t.name, coalesce(t.retention_seconds, 0),
    s.created_at, s.settings_json
FROM pubsub_subscription s LEFT JOIN pubsub_topic t ON t.number = s.topic
WHERE s.project = $1 ORDER BY s.name;

-- name: subscriptions_of_topic
SELECT s.number, s.project, s.name, s.topic, t.name, coalesce(t.retention_seconds, 0),
    s.created_at, s.settings_json
FROM pubsub_subscription s LEFT JOIN pubsub_topic t ON t.number = s.topic
WHERE s.topic = $1 ORDER BY s.number;

-- name: subscriptions_every
SELECT s.number, s.project, s.name, s.topic, t.name, coalesce(t.retention_seconds, 0),
    s.created_at, s.settings_json
FROM pubsub_subscription s LEFT JOIN pubsub_topic t ON t.number = s.topic
ORDER BY s.number;

-- name: subscription_add
INSERT INTO pubsub_subscription (project, name, topic, created_at, settings_json)
VALUES ($1, $2, $3, $4, $5) RETURNING number;

-- name: subscription_settings
UPDATE pubsub_subscription SET settings_json = $2 WHERE number = $1;

-- name: subscription_delete
DELETE FROM pubsub_subscription WHERE number = $1;

-- name: messages_number
UPDATE pubsub_sequence SET next = next + $1 RETURNING next - $1;

-- name: message_add
INSERT INTO pubsub_message (id, topic, published_at, ordering_key, attributes_json, data)
VALUES ($1, $2, $3, $4, $5, $6);

-- name: message_get
SELECT id, published_at, ordering_key, attributes_json, data FROM pubsub_message WHERE id = $1;

-- name: messages_since
-- Messages of a topic that were published since an instant, after one of them, in order.
SELECT id, ordering_key, attributes_json FROM pubsub_message
WHERE topic = $1 AND published_at >= $2 AND id > $3 ORDER BY id LIMIT $4;

-- name: messages_before
-- The last message of a topic that was published before an instant; ids grow with time, unless a
-- clock was set back, or who publishes was held up: earlier ones may be younger.
SELECT max(id) FROM pubsub_message WHERE topic = $1 AND published_at < $2;

-- name: message_drop
-- A message of a topic that keeps none for itself, once no subscription has it any more.
DELETE FROM pubsub_message WHERE id = $1
AND NOT EXISTS (SELECT 1 FROM pubsub_delivery WHERE message = $1);

-- name: messages_drop
DELETE FROM pubsub_message WHERE id IN (
    SELECT m.id FROM pubsub_message m WHERE m.topic = $1 AND m.id <= $2 AND m.published_at < $3
    AND NOT EXISTS (SELECT 1 FROM pubsub_delivery d WHERE d.message = m.id) LIMIT $4
);

-- name: messages_orphaned
-- Those of topics that are no more and that no subscription has.
DELETE FROM pubsub_message WHERE id IN (
    SELECT m.id FROM pubsub_message m
    WHERE NOT EXISTS (SELECT 1 FROM pubsub_topic t WHERE t.number = m.topic)
    AND NOT EXISTS (SELECT 1 FROM pubsub_delivery d WHERE d.message = m.id) LIMIT $1
);

-- name: delivery_add
INSERT INTO pubsub_delivery (subscription, message, ordering_key, due_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (subscription, message) DO NOTHING;

-- name: deliveries_due
SELECT d.message, d.ordering_key, d.attempts, d.lease, length(m.data)
FROM pubsub_delivery d JOIN pubsub_message m ON m.id = d.message
WHERE d.subscription = $1 AND d.acked_at IS NULL AND d.due_at <= $2
ORDER BY d.due_at, d.message LIMIT $3;

-- name: deliveries_next_due
SELECT min(due_at) FROM pubsub_delivery WHERE subscription = $1 AND acked_at IS NULL;

-- name: delivery_lease
UPDATE pubsub_delivery SET due_at = $3, attempts = attempts + 1, lease = $4
WHERE subscription = $1 AND message = $2;

-- name: delivery_of_lease
-- A delivery that is still out: not acknowledged, and not delivered again since.
SELECT message, ordering_key, attempts, lease, 0 FROM pubsub_delivery
WHERE subscription = $1 AND message = $2 AND lease = $3 AND acked_at IS NULL;

-- name: delivery_due
UPDATE pubsub_delivery SET due_at = $3 WHERE subscription = $1 AND message = $2;

-- name: delivery_return
-- Nobody has it any more: its last delivery cannot be acknowledged.
UPDATE pubsub_delivery SET due_at = $3, lease = -lease WHERE subscription = $1 AND message = $2;

-- name: delivery_ack
UPDATE pubsub_delivery SET acked_at = $3 WHERE subscription = $1 AND message = $2;

-- name: delivery_drop
DELETE FROM pubsub_delivery WHERE subscription = $1 AND message = $2;

-- name: deliveries_drop
DELETE FROM pubsub_delivery WHERE subscription = $1;

-- name: deliveries_drop_until
DELETE FROM pubsub_delivery WHERE subscription = $1 AND message <= $2
AND EXISTS (SELECT 1 FROM pubsub_message m WHERE m.id = message AND m.published_at < $3);

-- name: key_first_unacked
-- The first message of an ordering key that is not acknowledged.
SELECT min(message) FROM pubsub_delivery
WHERE subscription = $1 AND ordering_key = $2 AND ordering_key <> '' AND acked_at IS NULL;

-- name: key_following
-- What comes after a message of an ordering key and is not acknowledged, in order.
SELECT d.message, d.ordering_key, d.attempts, d.lease, length(m.data)
FROM pubsub_delivery d JOIN pubsub_message m ON m.id = d.message
WHERE d.subscription = $1 AND d.ordering_key = $2 AND d.ordering_key <> '' AND d.acked_at IS NULL
    AND d.message > $3
ORDER BY d.message LIMIT $4;

-- name: key_settled
-- Acknowledged messages of an ordering key with none before them that is not.
SELECT message FROM pubsub_delivery
WHERE subscription = $1 AND ordering_key = $2 AND ordering_key <> '' AND acked_at IS NOT NULL
    AND message < $3;

-- name: key_wake
UPDATE pubsub_delivery SET due_at = $3
WHERE subscription = $1 AND message = $2 AND due_at = $4;

-- name: key_restart
-- Whatever comes after a message of an ordering key is delivered again after it.
UPDATE pubsub_delivery SET due_at = $4, acked_at = NULL, lease = -abs(lease)
WHERE subscription = $1 AND ordering_key = $2 AND ordering_key <> '' AND message > $3
    AND (acked_at IS NOT NULL OR due_at <> $4);

-- name: seek_ack
UPDATE pubsub_delivery SET acked_at = $3, lease = -abs(lease)
WHERE subscription = $1 AND acked_at IS NULL
    AND message IN (SELECT id FROM pubsub_message WHERE topic = $4 AND published_at < $2);

-- name: seek_drop
DELETE FROM pubsub_delivery WHERE subscription = $1
    AND message IN (SELECT id FROM pubsub_message WHERE topic = $3 AND published_at < $2);

-- name: seek_restore
UPDATE pubsub_delivery SET acked_at = NULL, attempts = 0, lease = -abs(lease), due_at = $3
WHERE subscription = $1
    AND message IN (SELECT id FROM pubsub_message WHERE topic = $4 AND published_at >= $2);

-- name: keys_block
UPDATE pubsub_delivery SET due_at = $2
WHERE subscription = $1 AND ordering_key <> '' AND acked_at IS NULL;

-- name: keys_open
UPDATE pubsub_delivery SET due_at = $2 WHERE subscription = $1 AND message IN (
    SELECT min(message) FROM pubsub_delivery
    WHERE subscription = $1 AND ordering_key <> '' AND acked_at IS NULL GROUP BY ordering_key
);

-- name: keys_reopen
UPDATE pubsub_delivery SET due_at = $2
WHERE subscription = $1 AND due_at = $3 AND message IN (
    SELECT min(message) FROM pubsub_delivery
    WHERE subscription = $1 AND ordering_key <> '' AND acked_at IS NULL GROUP BY ordering_key
);

-- name: backlog
-- not acknowledged, out with somebody, published first
SELECT count(*), coalesce(sum(d.lease > 0 AND d.due_at > $2), 0),
    min(m.published_at)
FROM pubsub_delivery d JOIN pubsub_message m ON m.id = d.message
WHERE d.subscription = $1 AND d.acked_at IS NULL;
