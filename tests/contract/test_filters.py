"""Filters in SQL mean what `model.filters.matches` says of the same rows, on every database."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from random import Random

import pytest

from runyard.database.port import Tx
from runyard.flow.filter_fields import RUN_FIELDS
from runyard.model.filter_kinds import Value
from runyard.model.filters import And, Comparison, Expression, Not, Or, matches, parse
from runyard.model.ids import RunId
from runyard.model.instants import to_micros
from runyard.model.run import Run, State
from runyard.store import run_list
from runyard.store.filter_sql import following
from runyard.store.memory import Store
from runyard.store.run_list import COLUMNS, RunQuestion
from tests.contract.test_run_list import made
from tests.support.databases import Grounds

ROWS, QUESTIONS = 300, 250
NASTY = (
    "' OR 1=1 --",
    '"; DROP TABLE runs; --',
    "%",
    "_",
    "$1",
    "{}",
    "\\",
    "ü",
    "a\U0010ffff",
    "",
)
LABELS = (("one", "x"), ("two", "y"), ("one", "' OR '1'='1"), ("none", ""))


def values(run: Run, field: str, key: str) -> Value | None:
    """A run's value of a field, told apart from the SQL."""
    match field:
        case "labels":
            return dict(run.labels).get(key)
        case "requested_at" | "started_at" | "ended_at":
            at = getattr(run, field)
            return None if at is None else to_micros(at)
        case "duration":
            over = run.started_at and run.ended_at
            return to_micros(run.ended_at) - to_micros(run.started_at) if over else None  # type: ignore[arg-type]
        case "cost":
            return run.cost_nano_dollars
        case "state" | "trigger":
            return str(getattr(run, field).value)
    found: Value = getattr(run, field)
    return found


def comparison(chance: Random, runs: list[Run]) -> Comparison:
    """One of any field, with a value that a row has, or one that none should have."""
    field = chance.choice([*RUN_FIELDS])
    kind, key = RUN_FIELDS[field], ""
    if field == "labels":
        key, value = chance.choice(LABELS)
        operator = chance.choice(["=", "there"])
        return Comparison(field, operator, value, key, operator == "=" and chance.random() < 0.3)
    found = values(chance.choice(runs), field, "")
    if found is None or chance.random() < 0.2:
        found = chance.choice(NASTY) if isinstance(values(runs[0], field, ""), str) else 5
    operators = ["there", "=", *(one for one in kind.operators if one != "!=")]
    operator = chance.choice(operators)
    prefix = kind.prefix and operator == "=" and chance.random() < 0.5
    if prefix:
        found = str(found)[: chance.randrange(4)]
    return Comparison(field, operator, found, key, prefix)


def expression(chance: Random, runs: list[Run], depth: int = 3) -> Expression:
    """Any expression at all."""
    kind = chance.choice(["one", "not", "and", "or"]) if depth else "one"
    if kind == "one":
        return comparison(chance, runs)
    if kind == "not":
        return Not(expression(chance, runs, depth - 1))
    parts = tuple(expression(chance, runs, depth - 1) for _ in range(chance.randrange(1, 4)))
    return And(parts) if kind == "and" else Or(parts)


def test_every_field_of_a_filter_has_a_column() -> None:
    assert set(COLUMNS) == set(RUN_FIELDS)


def listed(grounds: Grounds, runs: list[Run], asked: list[Expression | None]) -> list[set[RunId]]:
    """What a database with `runs` finds for each filter."""

    async def scene() -> list[set[RunId]]:
        async with grounds.furnished() as database:
            store = Store.of(database.dialect)
            await database.write(lambda tx: store.runs.insert(tx, runs))
            found: list[set[RunId]] = []
            for one in asked:
                question = RunQuestion(filter=one)

                async def work(tx: Tx, question: RunQuestion = question) -> list[Run]:
                    return await run_list.page(tx, store.runs, question, None, ROWS + 1)

                found.append({run.id for run in await database.read(work)})
            return found

    return asyncio.run(scene())


def asked_for(runs: list[Run], asked: Expression) -> set[RunId]:
    """What Python finds."""
    return {run.id for run in runs if matches(asked, partial(values, run))}


def test_a_filter_means_the_same_in_sql(grounds: Grounds) -> None:
    chance = Random(11)
    runs = [made(number, chance) for number in range(ROWS)]
    asked = [expression(chance, runs) for _ in range(QUESTIONS)]
    found = listed(grounds, runs, [*asked])
    wrong = [one for one, got in zip(asked, found, strict=True) if got != asked_for(runs, one)]
    assert wrong == []
    assert sum(0 < len(got) < ROWS for got in found) > QUESTIONS / 3


def test_a_filter_as_people_write_it(grounds: Grounds) -> None:
    chance = Random(3)
    runs = [made(number, chance) for number in range(ROWS)]
    text = '(state=dead OR state = running) AND job="ünder" AND labels.one!=x AND duration>20s'
    (found,) = listed(grounds, runs, [parse(text, RUN_FIELDS)])
    assert found == {
        run.id
        for run in runs
        if run.state in (State.DEAD, State.RUNNING)
        and run.job == "ünder"
        and ("one", "x") not in run.labels
        and run.started_at
        and run.ended_at
        and run.ended_at - run.started_at > timedelta(seconds=20)
    }
    assert found


@pytest.mark.parametrize(
    ("prefix", "after"),
    [("a", "b"), ("ab", "ac"), ("a\U0010ffff", "b"), ("\U0010ffff", ""), ("\ud7ff", "\ue000")],
)
def test_what_follows_a_prefix(prefix: str, after: str) -> None:
    assert following(prefix) == after
