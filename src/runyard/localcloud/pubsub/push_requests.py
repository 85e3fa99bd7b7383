"""What is sent to a push endpoint, and what its answer means. Pure.

Wrapped is Pub/Sub's JSON (https://cloud.google.com/pubsub/docs/push#receive_push); unwrapped is the
data alone, with metadata and attributes as headers when they are wanted
(https://cloud.google.com/pubsub/docs/payload-unwrapping).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from runyard.model.pubsub.message import Delivery, Message
from runyard.model.pubsub.topic import PushConfig, Subscription, subscription_path

#: "Pub/Sub ... considers the message acknowledged" at these (push#receive_push).
ACKS = frozenset({102, 200, 201, 202, 204})
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")  # a field's name (RFC 9110, 5.6.2)
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
#: What says where a request begins and ends, and for whom it is, is not an attribute's to say.
_OURS = frozenset(
    {"connection", "content-length", "expect", "host", "keep-alive", "te", "trailer"}
    | {"transfer-encoding", "upgrade", "user-agent"}
)


@dataclass(frozen=True, slots=True)
class PushRequest:
    """One POST."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    timeout_seconds: float


def push_request(subscription: Subscription, push: PushConfig, delivery: Delivery) -> PushRequest:
    """The request that delivers a message."""
    timeout = float(subscription.ack_deadline_seconds)
    if push.wrapped:
        body = orjson.dumps(_wrapped(subscription, delivery))
        return PushRequest(push.endpoint, {"Content-Type": "application/json"}, body, timeout)
    headers = {"Content-Type": "application/octet-stream"}
    if push.write_metadata:
        headers |= _metadata(subscription, delivery.message)
    return PushRequest(push.endpoint, headers, delivery.message.data, timeout)


def _wrapped(subscription: Subscription, delivery: Delivery) -> dict[str, Any]:
    message = delivery.message
    number, published = str(message.id), _instant(message.published_at)
    inner: dict[str, Any] = {
        "attributes": dict(message.attributes),
        "data": base64.b64encode(message.data).decode(),
        "messageId": number,
        "message_id": number,
        "publishTime": published,
        "publish_time": published,
    }
    if message.ordering_key:
        inner["orderingKey"] = message.ordering_key
    name = subscription_path(subscription.project, subscription.name)
    outer: dict[str, Any] = {"message": inner, "subscription": name}
    if subscription.dead_letter is not None:
        outer["deliveryAttempt"] = delivery.attempt
    return outer


def _metadata(subscription: Subscription, message: Message) -> dict[str, str]:
    """Headers. An attribute that no header can say is left out."""
    prefix = "x-goog-pubsub-"
    ours = {
        f"{prefix}subscription-name": subscription_path(subscription.project, subscription.name),
        f"{prefix}message-id": str(message.id),
        f"{prefix}publish-time": _instant(message.published_at),
    }
    if message.ordering_key:
        ours[f"{prefix}ordering-key"] = message.ordering_key
    found: dict[str, str] = {}
    for name, value in {**message.attributes, **ours}.items():
        if _is_sayable(name, value):
            found["Content-Type" if name.lower() == "content-type" else name] = value
    return found


def _is_sayable(name: str, value: str) -> bool:
    """True for what a header can say, and an attribute may."""
    return (
        name.lower() not in _OURS
        and _NAME.fullmatch(name) is not None
        and _VALUE.fullmatch(value) is not None
    )


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
