"""The port of every channel: how people are told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Notice:
    """Something people should know. `key` is the same for every telling of the same thing.
    `job`, `run` and `region` are empty for what is about none."""

    key: str
    at: datetime
    title: str
    text: str
    job: str
    run: str
    region: str


class Channel(Protocol):
    """A voice. Raises ChannelError when it could not tell; telling twice does no harm."""

    name: str

    async def send(self, notice: Notice) -> None:
        """Tell it."""
