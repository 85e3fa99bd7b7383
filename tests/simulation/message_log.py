"""The database of the cloud's topics as a world has it: what happens to its rows is written down
beside them, by the database itself, and told to who watches at the end of each transaction. So
nothing is missed that comes and goes between two looks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple, TypeVar

from runyard.database.port import Tx, Work
from runyard.database.sqlite import InlineSqlite, run_inline
from runyard.localcloud.schema import migrate
from tests.support.runs import NOW

T = TypeVar("T")

_LOG = """
CREATE TABLE log (number INTEGER PRIMARY KEY, what TEXT, subscription INT, message INT, key TEXT,
    at INT, attempts INT, lease INT, acked_at INT, was_at INT, was_attempts INT, was_acked_at INT,
    text TEXT);
CREATE TRIGGER log_numbers AFTER UPDATE ON pubsub_sequence BEGIN
    INSERT INTO log (what, message, at) VALUES ('numbers', OLD.next, NEW.next); END;
CREATE TRIGGER log_topic AFTER INSERT ON pubsub_topic BEGIN
    INSERT INTO log (what, message, text) VALUES ('topic', NEW.number, NEW.name); END;
CREATE TRIGGER log_no_topic AFTER DELETE ON pubsub_topic BEGIN
    INSERT INTO log (what, message, text) VALUES ('no topic', OLD.number, OLD.name); END;
CREATE TRIGGER log_subscription AFTER INSERT ON pubsub_subscription BEGIN
    INSERT INTO log (what, subscription, message, key, text)
    VALUES ('subscription', NEW.number, NEW.topic, NEW.name, NEW.settings_json); END;
CREATE TRIGGER log_no_subscription AFTER DELETE ON pubsub_subscription BEGIN
    INSERT INTO log (what, subscription, key)
    VALUES ('no subscription', OLD.number, OLD.name); END;
CREATE TRIGGER log_message AFTER INSERT ON pubsub_message BEGIN
    INSERT INTO log (what, message, subscription, key, at, text) VALUES
    ('message', NEW.id, NEW.topic, NEW.ordering_key, NEW.published_at, NEW.attributes_json); END;
CREATE TRIGGER log_plan AFTER INSERT ON pubsub_delivery BEGIN
    INSERT INTO log (what, subscription, message, key, at)
    VALUES ('plan', NEW.subscription, NEW.message, NEW.ordering_key, NEW.due_at); END;
CREATE TRIGGER log_drop AFTER DELETE ON pubsub_delivery BEGIN
    INSERT INTO log (what, subscription, message, attempts, acked_at)
    VALUES ('drop', OLD.subscription, OLD.message, OLD.attempts, OLD.acked_at); END;
CREATE TRIGGER log_change AFTER UPDATE ON pubsub_delivery BEGIN
    INSERT INTO log (what, subscription, message, key, at, attempts, lease, acked_at,
        was_at, was_attempts, was_acked_at)
    VALUES ('change', NEW.subscription, NEW.message, NEW.ordering_key, NEW.due_at, NEW.attempts,
        NEW.lease, NEW.acked_at, OLD.due_at, OLD.attempts, OLD.acked_at); END
"""
_QUERY = "SELECT * FROM log WHERE number > $1 ORDER BY number"


class Entry(NamedTuple):
    """One thing that happened to one row; what does not concern it is None. Of `message` entries
    `subscription` is the topic; of topics and subscriptions `message` is the topic, of numbers the
    first of the ids that were given out, and `at` the one after the last."""

    number: int
    what: str
    subscription: int
    message: int
    key: str
    at: int
    attempts: int
    lease: int
    acked_at: int | None
    was_at: int
    was_attempts: int
    was_acked_at: int | None
    text: str


@cache
def cloud_image() -> bytes:
    """The cloud's database with its schema and its log, and no rows."""
    database = InlineSqlite()
    run_inline(migrate(database, NOW))

    async def add(tx: Tx) -> None:
        for statement in _LOG.strip().split("\nCREATE ")[0:]:
            words = statement if statement.startswith("CREATE") else f"CREATE {statement}"
            await tx.execute(words.rstrip(";\n"))

    run_inline(database.write(add))
    made = database.image()
    run_inline(database.close())
    return made


@dataclass(slots=True)
class LoggedDatabase:
    """The cloud's database. `told` hears what each transaction did, at once."""

    inner: InlineSqlite
    told: Callable[[list[Entry]], None]
    last: int = 0
    dialect: str = "sqlite"

    async def write(self, work: Work[T]) -> T:
        """See `Database.write`."""
        result = await self.inner.write(work)
        rows = await self.inner.read(lambda tx: tx.fetch(_QUERY, (self.last,)))
        if rows:
            self.last = rows[-1][0]
            self.told([Entry(*row) for row in rows])
        return result

    async def read(self, work: Work[T]) -> T:
        """See `Database.read`."""
        return await self.inner.read(work)

    async def listen(self, hear: Callable[[str], None], missed: Callable[[], None]) -> None:
        """See `Database.listen`."""

    async def close(self) -> None:
        """See `Database.close`."""
        await self.inner.close()
