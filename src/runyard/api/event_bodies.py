"""What callers send about topics, subscriptions and messages."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from runyard.api.body_parts import Instant, Whole
from runyard.model.forms import Between, Counted, Shaped
from runyard.model.pubsub.filters import FILTER_BYTES_MAX
from runyard.model.pubsub.limits import (
    ACK_IDS_MAX,
    ENDPOINT_CHARACTERS_MAX,
    KEY_BYTES_MAX,
    MESSAGE_BYTES_MAX,
    MESSAGES_MAX,
    NAME,
    NAME_EXPECTED,
    ORDERING_KEY_BYTES_MAX,
    PULLED_MAX,
    VALUE_BYTES_MAX,
    TopicName,
)
from runyard.model.pubsub.message import Draft
from runyard.model.pubsub.topic import (
    ACK_DEADLINE_SECONDS,
    ACK_DEADLINE_SECONDS_MAX,
    ATTEMPTS_MAX,
    ATTEMPTS_MIN,
    BACKOFF_SECONDS_MAX,
    BACKOFF_SECONDS_MIN,
    RETENTION_SECONDS,
    RETENTION_SECONDS_MAX,
    RETENTION_SECONDS_MIN,
    DeadLetterPolicy,
    PushConfig,
    RetryPolicy,
    Subscription,
)
from runyard.model.strict import Strict

PULL_WAIT_SECONDS_MAX = 20  #: shorter than clients wait for an answer

_Data = Annotated[
    str,
    Shaped(
        r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?",
        f"base64 of at most {MESSAGE_BYTES_MAX} bytes",
        4 * -(-MESSAGE_BYTES_MAX // 3),
    ),
]
_Key = Annotated[str, Shaped(r"(?s:.)+", "an attribute's key", KEY_BYTES_MAX)]
_Value = Annotated[str, Shaped(r"(?s:.)*", "an attribute's value", VALUE_BYTES_MAX)]
_OrderingKey = Annotated[str, Shaped(r"(?s:.)*", "an ordering key", ORDERING_KEY_BYTES_MAX)]
#: Subscriptions of triggers are the engine's, which removes what it does not know.
_NewName = Annotated[
    str,
    Shaped(
        rf"(?!runyard\.trigger\.){NAME}",
        f"{NAME_EXPECTED}, nor runyard.trigger., which triggers have",
        255,
    ),
]
_Backoff = Annotated[int, Between(0, BACKOFF_SECONDS_MAX, "seconds"), Whole]
_AckIds = Annotated[
    list[Annotated[str, Shaped(r"[!-~]{1,255}", "an ack id", 255)]], Counted(1, ACK_IDS_MAX)
]


class TopicBody(Strict):
    """A new topic."""

    name: TopicName
    retention_seconds: Annotated[int, Whole] = Field(
        default=0,
        description="How long any subscription can have messages again, acknowledged or not; 0: as "
        f"long as a subscription keeps them. {RETENTION_SECONDS_MIN} to {RETENTION_SECONDS_MAX}.",
        json_schema_extra=lambda schema: schema.update(_or_none(schema)),
    )


def _or_none(schema: dict[str, Any]) -> dict[str, Any]:
    schema.pop("type", None)
    between = {"minimum": RETENTION_SECONDS_MIN, "maximum": RETENTION_SECONDS_MAX}
    return {"anyOf": [{"const": 0}, {"type": "integer"} | between]}


class DeadLetterBody(Strict):
    """Where messages go that were delivered too often."""

    topic: TopicName
    attempts_max: Annotated[int, Between(ATTEMPTS_MIN, ATTEMPTS_MAX), Whole] = ATTEMPTS_MIN


class RetryBody(Strict):
    """How long a message waits before it is delivered again, doubled each time."""

    backoff_seconds_min: _Backoff = BACKOFF_SECONDS_MIN
    backoff_seconds_max: _Backoff = BACKOFF_SECONDS_MAX


class PushBody(Strict):
    """Where messages are sent by HTTP."""

    endpoint: Annotated[
        str,
        Shaped(r"https?://[!-?A-~]+", "a URL without a password in it", ENDPOINT_CHARACTERS_MAX),
    ]
    wrapped: bool = Field(default=True, description="In Pub/Sub's JSON; else the data alone.")
    write_metadata: bool = Field(
        default=False, description="Not wrapped: metadata and attributes are headers."
    )


class SubscriptionBody(Strict):
    """A new subscription."""

    name: _NewName
    topic: TopicName
    ack_deadline_seconds: Annotated[
        int, Between(ACK_DEADLINE_SECONDS, ACK_DEADLINE_SECONDS_MAX, "seconds"), Whole
    ] = ACK_DEADLINE_SECONDS
    retention_seconds: Annotated[
        int, Between(RETENTION_SECONDS_MIN, RETENTION_SECONDS_MAX, "seconds"), Whole
    ] = RETENTION_SECONDS
    retain_acked: bool = Field(
        default=False, description="Whether what was acknowledged can be had again."
    )
    ordered: bool = Field(
        default=False, description="Messages with the same ordering key come in their order."
    )
    filter: Annotated[str, Field(max_length=FILTER_BYTES_MAX)] = Field(
        default="", description='In Pub/Sub\'s language: attributes.kind = "order".'
    )
    dead_letter: DeadLetterBody | None = None
    retry: RetryBody | None = Field(default=None, description="Else at once.")
    push: PushBody | None = Field(default=None, description="Else messages are pulled.")

    def subscription(self, environment: str, now: datetime) -> Subscription:
        """As the broker is asked."""
        dead, retry, push = self.dead_letter, self.retry, self.push
        return Subscription(
            environment,
            self.name,
            self.topic,
            now,
            self.ack_deadline_seconds,
            self.retention_seconds,
            self.retain_acked,
            self.ordered,
            self.filter,
            DeadLetterPolicy(dead.topic, dead.attempts_max) if dead else None,
            RetryPolicy(retry.backoff_seconds_min, retry.backoff_seconds_max) if retry else None,
            PushConfig(push.endpoint, push.wrapped, push.write_metadata) if push else None,
        )


class MessageBody(Strict):
    """A message: data, attributes, or both."""

    data_base64: _Data = ""
    attributes: dict[_Key, _Value] = Field(
        default={}, json_schema_extra=lambda schema: schema.update(_ATTRIBUTES)
    )
    ordering_key: _OrderingKey = ""

    def draft(self) -> Draft:
        """As the broker is given it."""
        return Draft(base64.b64decode(self.data_base64), self.attributes, self.ordering_key)


_ATTRIBUTES: dict[str, Any] = {
    "propertyNames": {"minLength": 1, "maxLength": KEY_BYTES_MAX},
    "additionalProperties": {"type": "string", "maxLength": VALUE_BYTES_MAX},
    "maxProperties": 100,
}


class PublishBody(Strict):
    """Messages to publish, all of them or none."""

    messages: Annotated[list[MessageBody], Counted(1, MESSAGES_MAX)]


class PullBody(Strict):
    """How many messages at most, and how long to wait for a first one."""

    max_messages: Annotated[int, Between(1, PULLED_MAX), Whole] = 100
    wait_seconds: Annotated[float, Between(0, PULL_WAIT_SECONDS_MAX)] = 0


class AcknowledgeBody(Strict):
    """Messages that are done with."""

    ack_ids: _AckIds


class AckDeadlineBody(Strict):
    """Another ack deadline for messages, from now; 0 gives them back."""

    ack_ids: _AckIds
    ack_deadline_seconds: Annotated[int, Between(0, ACK_DEADLINE_SECONDS_MAX, "seconds"), Whole]


class SeekBody(Strict):
    """From when on messages are delivered again."""

    time: Instant


EVENT_BODIES: tuple[type[Strict], ...] = (
    TopicBody,
    SubscriptionBody,
    PublishBody,
    PullBody,
    AcknowledgeBody,
    AckDeadlineBody,
    SeekBody,
)
