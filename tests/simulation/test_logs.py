"""A few worlds of logs, `make sim` lives through many more; and that they notice what is broken."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from runyard.database.sqlite import run_inline
from tests.simulation.breaking import outcome
from tests.simulation.cloud import Execution
from tests.simulation.logs import LogWorld, live


@pytest.mark.parametrize("seed", range(601, 609))
def test_a_world_of_logs_keeps_its_promises(seed: int) -> None:
    live(seed)


def watched(folder: Path, watch: Callable[[LogWorld, Execution], None]) -> str:
    """What is wrong with a world in which each start is watched; empty: nothing."""
    world = LogWorld(601, folder)
    world.cloud.watchers.append(lambda one: watch(world, one))
    return outcome(world)


def say(sql: str) -> Callable[[LogWorld, Execution], None]:
    """Somebody changes what was written."""

    def watch(world: LogWorld, one: Execution) -> None:
        run_inline(world.series.write(lambda tx: tx.execute(sql)))

    return watch


def print_unseen(world: LogWorld, one: Execution) -> None:
    """A log grows after it is whole."""
    for log in world.written.logs.values():
        if log.is_whole:
            log.add(b"{}\n", None)


OWN = "series IN (SELECT id FROM series WHERE metric LIKE 'own%' OR metric = 'log_matches')"
ENDS = "series IN (SELECT id FROM series WHERE metric = 'attempts')"


@pytest.mark.parametrize(
    ("watch", "words"),
    [
        (say(f"UPDATE points SET count = count + 1 WHERE {OWN}"), "written"),
        (say(f"DELETE FROM points WHERE {OWN}"), ": (0, 0), written"),
        (say("UPDATE log_places SET position = 0 WHERE attempt_key <> ''"), "goes back"),
        (say("DELETE FROM log_places WHERE ended_at IS NULL"), "has no place any more"),
        (say("UPDATE log_places SET ended_at = 1"), "read again"),
        (say("UPDATE log_patterns SET count = count + 1"), "lines"),
        (say("UPDATE log_patterns SET first_seen_at = 1"), "written"),
        (say("DELETE FROM log_patterns"), "written"),
        (say(f"UPDATE points SET count = count + 1 WHERE {ENDS}"), "attempts"),
        (print_unseen, " of "),
        (lambda world, one: None, ""),
    ],
)
def test_a_world_of_logs_notices(
    tmp_path: Path, watch: Callable[[LogWorld, Execution], None], words: str
) -> None:
    said = watched(tmp_path, watch)
    assert words in said
    assert bool(words) is bool(said)
