"""What a batch tells other processes: that they should look, never what happened.

One text a batch, said in the batch's own transaction: it is heard when the batch is durable, or
never. Losing one costs time and nothing else, since every loop looks by itself as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from runyard.database.port import Database
from runyard.database.signals import Signals

BYTES_MAX = 7_000  #: of all topics; PostgreSQL takes 8,000 in all. With more, every follower looks


@dataclass(frozen=True, slots=True)
class News:
    """`by` is who tells. `topics`: what followers listen to; None: more than are worth naming.
    `due`: something may be due earlier than was known. `effects`: some wait for whoever carries
    them out."""

    by: str
    topics: tuple[str, ...] | None
    due: bool
    effects: bool

    @classmethod
    def of(cls, by: str, topics: Sequence[str], *, due: bool, effects: bool) -> News | None:
        """What others should look at; None: nothing."""
        if not (topics or due or effects):
            return None
        is_short = sum(len(topic) + 3 for topic in topics) <= BYTES_MAX
        return cls(by, tuple(topics) if is_short else None, due, effects)

    def text(self) -> str:
        """As other processes read it."""
        return orjson.dumps([self.by, self.topics, self.due, self.effects]).decode()

    @classmethod
    def read(cls, text: str) -> News:
        """What `text` says. What is not understood may be about anything."""
        try:
            by, topics, due, effects = orjson.loads(text)
            named = None if topics is None else tuple(topics)
            return cls(str(by), named, bool(due), bool(effects))
        except (ValueError, TypeError):
            return cls("", None, due=True, effects=True)


async def follow(database: Database, signals: Signals) -> None:
    """Pass on what others do, for a process that carries nothing out itself. Until cancelled."""

    def hear(text: str) -> None:
        signals.pass_on(News.read(text).topics)

    await database.listen(hear, lambda: signals.pass_on(None))
