"""Real failure texts replayed by real processes of the cloud on this machine, and classified.

Every process prints a text and ends as its thread says: with that exit code, by that signal, by the
kernel for want of memory (where groups of control are there), or by its timeout. The figures are
printed; what is asserted is the floor below which nobody should work on anything else first.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from runyard.flow.failure.classify import classify
from runyard.localcloud.cloudrun.resources import Execution, Region, RunRequest
from runyard.model.failure import Failure, FailureClass
from runyard.model.quantities import GIB
from runyard.provider.local.translate import outcome
from tests.support.cloud import World, make_template
from tests.support.failure_texts import FailureText, read
from tests.support.real_cloud import close_real_world, make_real_world

WIDE = Region("us-central1", 64_000, 64 * GIB)
AT_ONCE = 8
#: Python takes a page at a time until the kernel says no.
GREEDY = "import sys; held = []\nwhile True: held.append(bytearray(2**20))"
#: (file, the share that is at least right). `held_out` is the half that was set aside before a rule
#: was written, by one who had read it; `fresh` was opened after the last rule was. What is wrong in
#: it stays wrong until another such set is there: `tests/support/failure_texts.py` says why.
SETS = (("held_out", 0.9), ("fresh", 0.905))


@dataclass(frozen=True)
class Replayed:
    text: FailureText
    failure: Failure

    @property
    def is_right(self) -> bool:
        return self.failure.failure_class == self.text.failure_class


async def replay(world: World, text: FailureText, *, kills: bool) -> Replayed:
    end = f"exit {text.exit_code}" if text.signal is None else f"kill -{text.signal} $$"
    memory, timeout = "512Mi", "600s"
    if text.out_of_memory and kills:
        end, memory = f"exec python3 -c '{GREEDY}'", "128Mi"
    if text.timed_out:
        end, timeout = "exec sleep 600", "1s"
    script = f'printf "%s\\n" "$1"; {end}'
    template = make_template("sh", "-c", script, "sh", text.text, memory=memory, timeout=timeout)
    execution = await world.cloud.run_job(RunRequest("shop", "us-central1", "replay", template))
    assert isinstance(execution, Execution)
    ended = await world.ended(execution.name)
    failure = classify(outcome(ended, await world.cloud.last_lines(ended)))
    assert failure is not None
    return Replayed(text, failure)


async def replayed(folder: Path, texts: Sequence[FailureText]) -> list[Replayed]:
    world = await make_real_world(folder, regions=(WIDE,))
    room = asyncio.Semaphore(AT_ONCE)
    kills = world.spawner.abilities.memory_enforced_by == "cgroup"

    async def one(text: FailureText) -> Replayed:
        async with room:
            return await replay(world, text, kills=kills)

    try:
        return list(await asyncio.gather(*(one(text) for text in texts)))
    finally:
        await close_real_world(world)


def told(name: str, found: Sequence[Replayed]) -> str:
    """The confusion matrix, a row for each class that a reader gave, and the wrong ones."""
    counts = Counter((each.text.failure_class, each.failure.failure_class) for each in found)
    columns = list(FailureClass)
    lines = [f"{name}: {sum(each.is_right for each in found)} of {len(found)} right"]
    lines.append(" ".join(("reader \\ rules".ljust(14), *(each[:9].rjust(9) for each in columns))))
    for row in columns:
        cells = (str(counts[row, column] or ".").rjust(9) for column in columns)
        lines.append(" ".join((row.ljust(14), *cells)))
    for each in found:
        if not each.is_right:
            why = f"{each.failure.failure_class}, by {each.failure.rule}"
            lines.append(f"wrong: {each.text.source} is {each.text.failure_class}, not {why}")
    return "\n".join(lines)


@pytest.mark.parametrize(("name", "floor"), SETS)
def test_real_processes_that_die_of_real_failures_are_classified(
    name: str, floor: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = asyncio.run(replayed(tmp_path, read(name)))
    with capsys.disabled():
        print(f"\n{told(name, found)}")
    assert sum(each.is_right for each in found) >= floor * len(found), told(name, found)
