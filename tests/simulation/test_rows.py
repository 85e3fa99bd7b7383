"""That a look misses nothing, and makes anew only what is not as it was."""

from __future__ import annotations

import asyncio

from runyard.database.port import Tx
from runyard.database.sqlite import InlineSqlite
from tests.simulation.rows import Groups, Rows


class Table:
    """Two columns, `name` of which a group is made, and what was made of them."""

    def __init__(self) -> None:
        self._database = InlineSqlite()
        self._rows = Rows[str, list[int]]("SELECT name, number FROM things")
        self.made: list[str] = []
        self.say("CREATE TABLE things (name TEXT, number BIGINT)")

    def say(self, sql: str) -> None:
        async def work(tx: Tx) -> None:
            await tx.execute(sql)

        asyncio.run(self._database.write(work))

    def look(self) -> dict[str, list[int]]:
        async def make(changed: Groups[str]) -> dict[str, list[int]]:
            self.made += changed
            return {name: [row[1] for row in rows] for name, rows in changed.items()}

        async def work(tx: Tx) -> dict[str, list[int]]:
            return await self._rows.look(tx, make)

        return asyncio.run(self._database.read(work))

    def forget(self) -> None:
        self._rows.forget()


def test_only_what_changed_is_made_anew() -> None:
    table = Table()
    table.say("INSERT INTO things VALUES ('a', 1), ('b', 2), ('b', 3)")
    before = table.look()
    assert before == {"a": [1], "b": [2, 3]}
    table.say("UPDATE things SET number = 4 WHERE number = 3")
    after = table.look()
    assert after == {"a": [1], "b": [2, 4]}
    assert after["a"] is before["a"]
    assert table.made == ["a", "b", "b"]


def test_what_came_and_what_went_is_seen() -> None:
    table = Table()
    table.say("INSERT INTO things VALUES ('a', 1), ('b', 2)")
    table.look()
    table.say("DELETE FROM things WHERE name = 'a'")
    table.say("INSERT INTO things VALUES ('c', 3)")
    assert table.look() == {"b": [2], "c": [3]}
    table.say("INSERT INTO things VALUES ('a', 5)")
    assert table.look()["a"] == [5]


def test_after_forgetting_everything_is_made_anew() -> None:
    table = Table()
    table.say("INSERT INTO things VALUES ('a', 1)")
    table.look()
    table.forget()
    assert table.look() == {"a": [1]}
    assert table.made == ["a", "a"]
