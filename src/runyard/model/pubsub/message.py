"""Messages: what is published, what is kept, what somebody got."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Draft:
    """A message as it is published: data, attributes, or both."""

    data: bytes = b""
    attributes: Mapping[str, str] = field(default_factory=dict)
    ordering_key: str = ""

    @property
    def size_bytes(self) -> int:
        """What counts against the limits: data, keys and values, and the ordering key."""
        pairs = sum(_bytes(key) + _bytes(value) for key, value in self.attributes.items())
        return len(self.data) + pairs + _bytes(self.ordering_key)


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it is kept. `id` grows in the order of publishing."""

    id: int
    published_at: datetime
    data: bytes
    attributes: Mapping[str, str]
    ordering_key: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message that somebody got. `ack_id` acknowledges this delivery and no other; `attempt`
    counts them from 1."""

    ack_id: str
    attempt: int
    message: Message


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
