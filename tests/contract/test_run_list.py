"""The list of runs against 20,000 rows: every page in order, nothing lost, nothing doubled."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from runyard.database.migrations import migrate
from runyard.database.port import Tx
from runyard.database.sqlite import InlineSqlite
from runyard.model.ids import RunId, stamped
from runyard.model.run import Run, State, TriggerKind
from runyard.store.memory import MIGRATIONS, Store
from runyard.store.run_list import SORTS, After, RunQuestion, page
from tests.support.stories import START, begun

ROWS = 20_000
STORE = Store.of("sqlite")
JOBS = ("alpha", "beta", "Gamma", "ünder")
SORT_CASES = [RunQuestion(sort=sort, descending=down) for sort in SORTS for down in (True, False)]


def made(number: int, chance: Random) -> Run:
    """A run like any other; many share their values, some have none."""
    at = START + timedelta(seconds=chance.randrange(3000))
    started = at + timedelta(seconds=chance.randrange(5)) if chance.random() < 0.8 else None
    over = started is not None and chance.random() < 0.8
    return replace(
        begun().run,
        id=RunId(stamped("run", at, chance.getrandbits(80))),
        job=chance.choice(JOBS),
        region=chance.choice(("us-central1", "europe-west1")),
        state=chance.choice(list(State)),
        requested_at=at,
        started_at=started,
        ended_at=started + timedelta(seconds=chance.randrange(90)) if started and over else None,
        cost_nano_dollars=chance.choice((0, 5, 10**12)),
        labels=tuple((key, chance.choice("xy")) for key in ("one", "two") if chance.random() < 0.5),
        due_at=None,
    )


class Table:
    """A database with runs, and the runs."""

    def __init__(self, rows: int) -> None:
        self.chance = Random(7)
        self.database = InlineSqlite()
        asyncio.run(migrate(self.database, MIGRATIONS, START))
        self.runs: list[Run] = []
        self.add(rows)

    def add(self, rows: int) -> None:
        """Insert new runs."""
        new = [made(number, self.chance) for number in range(rows)]
        self.runs += new

        async def work(tx: Tx) -> None:
            await STORE.runs.insert(tx, new)

        asyncio.run(self.database.write(work))

    def page(self, question: RunQuestion, after: After | None, limit: int) -> list[Run]:
        async def work(tx: Tx) -> list[Run]:
            return await page(tx, STORE.runs, question, after, limit)

        return asyncio.run(self.database.read(work))

    def pages(self, question: RunQuestion, limit: int) -> Iterator[list[Run]]:
        """Every page, each asked for with the place of the last run of the one before."""
        after = None
        while found := self.page(question, after, limit):
            yield found
            after = After(SORTS[question.sort].place(found[-1]), found[-1].id)


@pytest.fixture(scope="module")
def table() -> Iterator[Table]:
    """20,000 runs."""
    made_table = Table(ROWS)
    yield made_table
    asyncio.run(made_table.database.close())


def in_order(runs: list[Run], question: RunQuestion) -> list[RunId]:
    """The ids as they should be listed, sorted by Python."""
    place = SORTS[question.sort].place
    down = question.descending
    with_value = [run for run in runs if place(run) is not None]
    without = [run for run in runs if place(run) is None]
    first = sorted(with_value, key=lambda run: (place(run), run.id), reverse=down)
    return [run.id for run in [*first, *sorted(without, key=lambda run: run.id, reverse=down)]]


@pytest.mark.parametrize("question", SORT_CASES, ids=lambda q: f"{q.sort}-{q.descending}")
def test_pages_hold_every_run_once_in_order(table: Table, question: RunQuestion) -> None:
    listed = [run.id for found in table.pages(question, 1000) for run in found]
    assert listed == in_order(table.runs, question)


def test_small_pages_are_like_large_ones(table: Table) -> None:
    question = RunQuestion(job="alpha", states=(State.DEAD,), sort="duration")
    listed = [run.id for found in table.pages(question, 7) for run in found]
    wanted = [run for run in table.runs if run.job == "alpha" and run.state is State.DEAD]
    assert len(wanted) > 300
    assert listed == in_order(wanted, question)


def test_filters_are_all_kept(table: Table) -> None:
    since, until = START + timedelta(seconds=500), START + timedelta(seconds=2500)
    question = RunQuestion(
        states=(State.DEAD, State.RUNNING),
        job="ünder",
        region="europe-west1",
        trigger=TriggerKind.MANUAL,
        labels=(("one", "x"), ("two", "y")),
        since=since,
        until=until,
        descending=False,
    )
    wanted = [
        run
        for run in table.runs
        if run.state in (State.DEAD, State.RUNNING)
        and (run.job, run.region) == ("ünder", "europe-west1")
        and since <= run.requested_at < until
        and set(run.labels) >= {("one", "x"), ("two", "y")}
    ]
    listed = [run.id for found in table.pages(question, 10) for run in found]
    assert wanted
    assert listed == in_order(wanted, question)
    assert not table.page(replace(question, trigger="chain"), None, 1)


def test_texts_are_bound_and_never_sql(table: Table) -> None:
    assert table.page(RunQuestion(job="' OR 1=1 --"), None, 10) == []
    assert table.page(RunQuestion(labels=(("one", "' OR '1'='1"),)), None, 10) == []


@pytest.mark.parametrize("down", [True, False])
def test_runs_added_meanwhile_shift_nothing(down: bool) -> None:
    table = Table(2_000)
    before = {run.id for run in table.runs}
    question = RunQuestion(descending=down)
    listed = []
    for found in table.pages(question, 100):
        listed += [run.id for run in found]
        table.add(50)
        if len(table.runs) > 8_000:
            break
    assert len(listed) == len(set(listed))
    edge = {run.id: run.requested_at for run in table.runs}[listed[-1]]
    passed = {
        run.id
        for run in table.runs
        if run.id in before and (run.requested_at > edge if down else run.requested_at < edge)
    }
    assert passed <= set(listed)


@pytest.mark.parametrize("question", [RunQuestion(), RunQuestion(job="alpha")])
def test_a_page_of_the_usual_order_is_found_by_an_index(
    table: Table, question: RunQuestion
) -> None:
    plans: list[str] = []

    class Planning:
        """A transaction that explains its query in place of running it."""

        async def fetch(self, sql: str, params: tuple[object, ...] = ()) -> list[tuple[object]]:
            async def work(tx: Tx) -> None:
                rows = await tx.fetch(f"EXPLAIN QUERY PLAN {sql}", params)  # type: ignore[arg-type]
                plans.extend(str(row[-1]) for row in rows)

            await table.database.read(work)
            return []

    after = After(10**15, RunId("run_x"))
    asyncio.run(page(Planning(), STORE.runs, question, after, 50))  # type: ignore[arg-type]
    assert any("USING INDEX runs_" in plan or "COVERING INDEX runs_" in plan for plan in plans)
    assert not any("TEMP B-TREE" in plan for plan in plans)
