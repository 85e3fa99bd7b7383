"""Topics and subscriptions, as Pub/Sub has them.

Field names are those of Pub/Sub's `Topic` and `Subscription` messages
(https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.subscriptions), in snake_case.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

DAY_SECONDS = 24 * 3600
ACK_DEADLINE_SECONDS = 10  #: Subscription.ack_deadline_seconds, when none is given
ACK_DEADLINE_SECONDS_MAX = 600
RETENTION_SECONDS = 7 * DAY_SECONDS  #: Subscription.message_retention_duration, likewise
RETENTION_SECONDS_MIN, RETENTION_SECONDS_MAX = 600, 31 * DAY_SECONDS
ATTEMPTS_MIN, ATTEMPTS_MAX = 5, 100  #: DeadLetterPolicy.max_delivery_attempts
BACKOFF_SECONDS_MIN, BACKOFF_SECONDS_MAX = 10, 600  #: RetryPolicy, when a bound is not given
DELETED_TOPIC = "_deleted-topic_"  #: what a subscription calls a topic that is no more


@dataclass(frozen=True, slots=True)
class Topic:
    """Where messages are published. `retention_seconds`: how long messages can be replayed by any
    subscription, acknowledged or not; 0: only as long as a subscription has them."""

    project: str
    name: str
    created_at: datetime
    retention_seconds: int = 0


@dataclass(frozen=True, slots=True)
class DeadLetterPolicy:
    """Where a message goes that was delivered `attempts_max` times and never acknowledged."""

    topic: str
    attempts_max: int = ATTEMPTS_MIN


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long a message waits before it is delivered again: from the least to the most, doubled
    each time."""

    backoff_seconds_min: int = BACKOFF_SECONDS_MIN
    backoff_seconds_max: int = BACKOFF_SECONDS_MAX


@dataclass(frozen=True, slots=True)
class PushConfig:
    """Where messages are sent by HTTP. `wrapped`: in Pub/Sub's own JSON; else the data alone, with
    its metadata as headers when `write_metadata`."""

    endpoint: str
    wrapped: bool = True
    write_metadata: bool = False


@dataclass(frozen=True, slots=True)
class Subscription:
    """Who wants the messages of a topic, and how. `topic` is DELETED_TOPIC when it is no more.

    `filter` is fixed for ever, and so is `ordered`: messages with the same ordering key come one
    after the other.
    """

    project: str
    name: str
    topic: str
    created_at: datetime
    ack_deadline_seconds: int = ACK_DEADLINE_SECONDS
    retention_seconds: int = RETENTION_SECONDS
    retain_acked: bool = False
    ordered: bool = False
    filter: str = ""
    dead_letter: DeadLetterPolicy | None = None
    retry: RetryPolicy | None = None
    push: PushConfig | None = None

    @property
    def ack_deadline(self) -> timedelta:
        """How long who got a message has to acknowledge it."""
        return timedelta(seconds=self.ack_deadline_seconds)


@dataclass(frozen=True, slots=True)
class Backlog:
    """What a subscription still has to deliver: how many messages are not acknowledged, how many
    of them are out with somebody now, and when the oldest of them was published."""

    unacked: int
    outstanding: int
    oldest_at: datetime | None


def topic_path(project: str, topic: str) -> str:
    """A topic's full name, as Google writes it."""
    return topic if topic == DELETED_TOPIC else f"projects/{project}/topics/{topic}"


def subscription_path(project: str, subscription: str) -> str:
    """A subscription's full name, as Google writes it."""
    return f"projects/{project}/subscriptions/{subscription}"
