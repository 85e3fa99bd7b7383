"""What Pub/Sub takes, and what is wrong with what it does not take.

The limits are those of https://cloud.google.com/pubsub/quotas (resource limits), the ranges those
of the fields' own descriptions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated
from urllib.parse import urlsplit

from runyard.model.errors import Fault, InvalidSpec
from runyard.model.forms import Shaped
from runyard.model.pubsub.filters import parse
from runyard.model.pubsub.message import Draft
from runyard.model.pubsub.topic import (
    ACK_DEADLINE_SECONDS,
    ACK_DEADLINE_SECONDS_MAX,
    ATTEMPTS_MAX,
    ATTEMPTS_MIN,
    BACKOFF_SECONDS_MAX,
    RETENTION_SECONDS_MAX,
    RETENTION_SECONDS_MIN,
    Subscription,
    Topic,
)
from runyard.model.validation import shown

MESSAGE_BYTES_MAX = 10_000_000  #: of a message, and of all in one request to publish
MESSAGES_MAX = 1_000  #: in one request to publish
ATTRIBUTES_MAX = 100
KEY_BYTES_MAX, VALUE_BYTES_MAX = 256, 1024  #: of an attribute
ORDERING_KEY_BYTES_MAX = 1024
ACK_IDS_MAX = 2_500  #: in one request (524,288 bytes of it in Google's terms)
PULLED_MAX = 1_000  #: messages that one request gets
ENDPOINT_CHARACTERS_MAX = 2_048

#: "It must start with a letter, and contain only letters, numbers, dashes, underscores, periods,
#: tildes, plus or percent signs. It must be between 3 and 255 characters in length, and it must not
#: start with goog" (Topic.name).
NAME = r"(?!goog)[A-Za-z][A-Za-z0-9._~+%-]{2,254}"
NAME_EXPECTED = "3 to 255 letters, digits and -_.~+%, a letter first, and not goog at the beginning"
TopicName = Annotated[str, Shaped(NAME, NAME_EXPECTED, 255)]  #: or a subscription's
_NAME = re.compile(NAME)


def refuse(what: str, faults: Iterator[Fault]) -> None:
    """Raises InvalidSpec with all faults of `what` (a word for it) when there are any."""
    found = tuple(faults)
    if found:
        raise InvalidSpec(f"Pub/Sub takes no such {what}", faults=found)


def topic_faults(topic: Topic) -> Iterator[Fault]:
    """What is wrong with a topic."""
    yield from name_faults("topic.name", topic.name)
    if topic.retention_seconds:
        yield from _outside(
            "topic.retention_seconds",
            topic.retention_seconds,
            RETENTION_SECONDS_MIN,
            RETENTION_SECONDS_MAX,
        )


def name_faults(path: str, name: str) -> Iterator[Fault]:
    """What is wrong with a topic's or a subscription's name."""
    if not _NAME.fullmatch(name):
        yield Fault(path, shown(name), NAME_EXPECTED)


def subscription_faults(asked: Subscription) -> Iterator[Fault]:
    """What is wrong with a subscription."""
    yield from name_faults("subscription.name", asked.name)
    yield from _outside(
        "subscription.ack_deadline_seconds",
        asked.ack_deadline_seconds,
        ACK_DEADLINE_SECONDS,
        ACK_DEADLINE_SECONDS_MAX,
    )
    yield from _outside(
        "subscription.retention_seconds",
        asked.retention_seconds,
        RETENTION_SECONDS_MIN,
        RETENTION_SECONDS_MAX,
    )
    yield from _policy_faults(asked)
    yield from _endpoint_faults(asked)
    try:
        parse(asked.filter)
    except InvalidSpec as error:
        yield from error.faults


def _policy_faults(asked: Subscription) -> Iterator[Fault]:
    if asked.dead_letter is not None:
        path, attempts = "subscription.dead_letter.attempts_max", asked.dead_letter.attempts_max
        yield from _outside(path, attempts, ATTEMPTS_MIN, ATTEMPTS_MAX)
        if asked.dead_letter.topic == asked.topic:
            expected = "another topic than the subscription's own, where they would go round"
            yield Fault("subscription.dead_letter.topic", shown(asked.topic), expected)
    if asked.retry is None:
        return
    least, most = asked.retry.backoff_seconds_min, asked.retry.backoff_seconds_max
    yield from _outside("subscription.retry.backoff_seconds_min", least, 0, BACKOFF_SECONDS_MAX)
    yield from _outside("subscription.retry.backoff_seconds_max", most, 0, BACKOFF_SECONDS_MAX)
    if least > most:
        expected = f"at most backoff_seconds_max, which is {most}"
        yield Fault("subscription.retry.backoff_seconds_min", str(least), expected)


def _endpoint_faults(asked: Subscription) -> Iterator[Fault]:
    if asked.push is None:
        return
    path, endpoint = "subscription.push.endpoint", asked.push.endpoint
    if len(endpoint) > ENDPOINT_CHARACTERS_MAX or not _is_url(endpoint):
        expected = "a URL such as https://example.com/push, with no password in it"
        yield Fault(path, shown(endpoint) if "@" not in endpoint else "", expected)
    if asked.push.write_metadata and asked.push.wrapped:
        expected = "false: the wrapper has the metadata; or wrapped: false"
        yield Fault("subscription.push.write_metadata", "true", expected)


def _is_url(text: str) -> bool:
    if not text.isascii() or not text.isprintable() or " " in text:
        return False
    try:
        parts = urlsplit(text)
        return (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and (parts.username is None and parts.password is None and parts.port != 0)
        )
    except ValueError:  # a port or an address that is none
        return False


def drafts_faults(drafts: Sequence[Draft]) -> Iterator[Fault]:
    """What is wrong with messages that are to be published together."""
    if not 0 < len(drafts) <= MESSAGES_MAX:
        yield Fault("messages", f"a list of {len(drafts)}", f"1 to {MESSAGES_MAX} messages")
        return
    total = 0
    for number, draft in enumerate(drafts):
        total += draft.size_bytes
        yield from _draft_faults(f"messages[{number}]", draft)
    if total > MESSAGE_BYTES_MAX and len(drafts) > 1:
        expected = f"at most {MESSAGE_BYTES_MAX} bytes in one request"
        yield Fault("messages", f"{total} bytes", expected)


def _draft_faults(path: str, draft: Draft) -> Iterator[Fault]:
    if not draft.data and not draft.attributes:
        yield Fault(path, "empty", "data, an attribute, or both")
    if (size := draft.size_bytes) > MESSAGE_BYTES_MAX:
        yield Fault(path, f"{size} bytes", f"at most {MESSAGE_BYTES_MAX} bytes")
    yield from _longer(f"{path}.ordering_key", draft.ordering_key, ORDERING_KEY_BYTES_MAX)
    yield from _attribute_faults(f"{path}.attributes", draft.attributes)


def _attribute_faults(path: str, attributes: Mapping[str, str]) -> Iterator[Fault]:
    if len(attributes) > ATTRIBUTES_MAX:
        yield Fault(path, f"{len(attributes)} attributes", f"at most {ATTRIBUTES_MAX}")
        return
    for key, value in attributes.items():
        if not key:
            yield Fault(path, "an empty key", f"a key of 1 to {KEY_BYTES_MAX} bytes")
        yield from _longer(f"{path}: the key {shown(key)}", key, KEY_BYTES_MAX)
        yield from _longer(f"{path}.{key[:KEY_BYTES_MAX]}", value, VALUE_BYTES_MAX)


def _longer(path: str, text: str, most: int) -> Iterator[Fault]:
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        yield Fault(path, "half of a character", "a text that UTF-8 can say")
        return
    if size > most:
        yield Fault(path, f"{size} bytes", f"at most {most} bytes of UTF-8")


def _outside(path: str, value: int, least: int, most: int) -> Iterator[Fault]:
    if not least <= value <= most:
        unit = " seconds" if "_seconds" in path else ""
        yield Fault(path, str(value), f"a whole number from {least} to {most}{unit}")
