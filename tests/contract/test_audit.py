"""The audit log on every kind of database: one chain, that nothing is taken from or added to."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from runyard.database.port import Database, Tx
from runyard.flow.audit import Audit, Break, anchors_of, entry_of
from runyard.gate.recording import Record
from runyard.model.audit import AuditEntry, Head, Link, Origin
from runyard.model.errors import PlatformError
from runyard.store.audit import AuditQuestion
from tests.support.databases import Grounds
from tests.support.gates import Yard, in_yard, yard_on
from tests.support.runs import NOW

#: What somebody who owns the database does before anything else.
UNLOCKED = {
    "sqlite": ("DROP TRIGGER audit_keeps_entries", "DROP TRIGGER audit_loses_nothing"),
    "postgresql": (
        "DROP TRIGGER audit_keeps_entries ON audit",
        "DROP TRIGGER audit_loses_nothing ON audit",
    ),
}
COPY = """INSERT INTO audit SELECT {}, at, by_whom, action, target, environment, entry, previous,
digest FROM audit WHERE sequence = {}"""
#: Each is what is done to the rows of a chain of nine, and the entry at which it is found.
TAMPERINGS: dict[str, tuple[Sequence[str], int]] = {
    "edits a column": (("UPDATE audit SET by_whom = 'eve' WHERE sequence = 5",), 5),
    "edits the entry": (
        ("UPDATE audit SET entry = replace(entry, 'ann', 'eve') WHERE sequence = 5",),
        5,
    ),
    "reorders": (
        (
            "UPDATE audit SET sequence = 100 WHERE sequence = 4",
            "UPDATE audit SET sequence = 4 WHERE sequence = 5",
            "UPDATE audit SET sequence = 5 WHERE sequence = 100",
        ),
        4,
    ),
    "deletes from the middle": (("DELETE FROM audit WHERE sequence = 5",), 5),
    "deletes and closes the gap": (
        (
            "DELETE FROM audit WHERE sequence = 9",
            "UPDATE audit SET sequence = sequence + 100 WHERE sequence > 4",
        ),
        5,
    ),
    "deletes the first": (("DELETE FROM audit WHERE sequence = 1",), 1),
    "doubles one at the end": ((COPY.format(10, 5),), 10),
    "puts one before the first": ((COPY.format(0, 5),), 1),
    "changes a digest": (
        ("UPDATE audit SET digest = previous WHERE sequence = 5",),
        5,
    ),
    "changes a link": (
        (
            "UPDATE audit SET previous = "
            "(SELECT digest FROM audit WHERE sequence = 2) WHERE sequence = 5",
        ),
        5,
    ),
    "deletes the end": (("DELETE FROM audit WHERE sequence > 6",), 7),
    "deletes everything": (("DELETE FROM audit",), 1),
}
BY_ANCHOR = {"deletes the end", "deletes everything"}


def entry(number: int, **changes: str) -> AuditEntry:
    """An entry unlike the others."""
    return AuditEntry(
        at=NOW,
        by=changes.get("by", "ann"),
        action=changes.get("action", "job.apply"),
        target=f"job/shop/report-{number}",
        environment=changes.get("environment", "dev"),
        after={"revision": number},
        reason="for the test – „ümlaut“",
        origin=Origin("127.0.0.1", "test", "tok_1"),
    )


async def recorded(yard: Yard, *numbers: int) -> None:
    """Add an entry for each number."""
    await yard.gate.ask(Record([entry(number) for number in numbers], yard.now))


async def links(yard: Yard) -> list[Link]:
    """All that is kept, read in small pages, as a verification reads it."""
    found: list[Link] = []
    while True:
        after = found[-1].sequence if found else -1

        async def work(tx: Tx, after: int = after) -> list[Link]:
            return await yard.store.audit.following(tx, after, 4)

        page = await yard.database.read(work)
        found += page
        if not page:
            return found


async def verified(yard: Yard, anchors: Sequence[str] = ()) -> Break | None:
    """The first thing that is wrong."""
    audit = Audit(anchors_of(anchors))
    for one in await links(yard):
        if (broken := audit.look(one)) is not None:
            return broken
    return audit.end()


async def head(yard: Yard) -> Head:
    """How far the chain goes."""
    return await yard.database.read(yard.store.audit.head)


def test_entries_are_chained_and_come_back_as_they_were(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        assert await head(yard) == Head()
        await recorded(yard, 1, 2)
        await recorded(yard, 3)
        kept = await links(yard)
        assert [entry_of(one) for one in kept] == [entry(1), entry(2), entry(3)]
        assert await head(yard) == Head(3, kept[-1].digest)
        assert await yard.database.read(yard.store.audit.count) == 3
        assert await verified(yard, [str(await head(yard))]) is None

    in_yard(scene, grounds)


def test_the_database_refuses_to_change_or_remove_an_entry(grounds: Grounds) -> None:
    statements = ["UPDATE audit SET by_whom = 'eve'", "DELETE FROM audit"]
    if grounds.kind == "postgresql":
        statements.append("TRUNCATE audit")

    async def scene(yard: Yard) -> None:
        await recorded(yard, 1)
        for statement in statements:
            with pytest.raises(PlatformError, match="append-only"):
                await changed(yard.database, statement)
        assert [entry_of(one) for one in await links(yard)] == [entry(1)]

    in_yard(scene, grounds)


async def changed(database: Database, *statements: str) -> None:
    """Do something to the rows behind everybody's back."""

    async def work(tx: Tx) -> None:
        for statement in statements:
            await tx.execute(statement)

    await database.write(work)


@pytest.mark.parametrize("how", TAMPERINGS)
def test_tampering_with_rows_is_found(how: str, grounds: Grounds) -> None:
    statements, place = TAMPERINGS[how]

    async def scene(yard: Yard) -> None:
        await recorded(yard, *range(1, 10))
        anchor = str(await head(yard))
        await changed(yard.database, *UNLOCKED[yard.database.dialect], *statements)
        broken = await verified(yard, [anchor])
        assert broken is not None
        assert broken.sequence == place
        if how in BY_ANCHOR:
            assert await verified(yard) is None

    in_yard(scene, grounds)


def test_a_whole_other_chain_is_found_by_the_anchor(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await recorded(yard, *range(1, 10))
        anchor = str(await head(yard))
        await changed(
            yard.database, *UNLOCKED[yard.database.dialect], "DELETE FROM audit WHERE sequence > 4"
        )
        others = [entry(number, by="eve") for number in range(5, 15)]
        await yard.gate.ask(Record(others, yard.now))
        assert await verified(yard) is None
        broken = await verified(yard, [anchor])
        assert broken is not None
        assert (broken.sequence, broken.what) == (9, "it is not the entry that was anchored")

    in_yard(scene, grounds)


@pytest.mark.parametrize("grounds", ["threaded", "postgresql"], indirect=True)
def test_many_who_write_at_once_make_one_chain(grounds: Grounds) -> None:
    async def scene() -> None:
        async with grounds.furnished() as database, grounds.opened("furnished") as other:
            yards = [yard_on(database), yard_on(other, engine="other")]
            await asyncio.gather(*(recorded(yards[number % 2], number) for number in range(1, 61)))
            kept = await links(yards[0])
            assert sorted(entry_of(one).target for one in kept) == sorted(
                entry(number).target for number in range(1, 61)
            )
            assert await verified(yards[1], [str(await head(yards[0]))]) is None

    asyncio.run(scene())


def test_entries_are_found_newest_first(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await recorded(yard, 1, 2)
        await yard.gate.ask(Record([entry(3, by="bob", action="token.create")], yard.now))
        await yard.gate.ask(Record([entry(4, environment="prod")], yard.now))

        async def found(before: int | None = None, **asked: object) -> list[int]:
            question = AuditQuestion(**asked)  # type: ignore[arg-type]

            async def work(tx: Tx) -> list[Link]:
                return await yard.store.audit.page(tx, question, before, 3)

            return [one.sequence for one in await yard.database.read(work)]

        assert await found() == [4, 3, 2]
        assert await found(2) == [1]
        assert await found(by="bob") == [3]
        assert await found(action="token.create", by="ann") == []
        assert await found(target="job/shop/report-2") == [2]
        assert await found(environments=("prod",)) == [4]
        assert await found(4, environments=("prod", "dev")) == [3, 2, 1]
        assert await found(environments=()) == []
        assert await found(since=NOW) == [4, 3, 2]
        assert await found(until=NOW) == []

    in_yard(scene, grounds)
