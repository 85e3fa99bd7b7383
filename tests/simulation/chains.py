"""What is promised of chains: each final run of a job that is followed is told to each follower
once, and leads to exactly one run or one reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from runyard.model.ids import RunId
from runyard.model.run import Run, TriggerKind
from runyard.model.trigger.chain import STATES, ChainSpec
from runyard.model.trigger.instant import Fate, Instant
from runyard.model.trigger.row import Trigger
from runyard.model.validation import read
from runyard.store.documents import dumps, loads
from tests.simulation.triggers import Fired


def check_chains(fired: Iterable[Fired], runs: Iterable[Run], *, ended: bool) -> None:
    """Look at every chain, and at all runs there ever were. `ended`: all that is to be told was
    told."""
    everything = {run.id: run for run in runs}
    for row, kept in fired:
        if row.kind is TriggerKind.CHAIN:
            _check(row, kept, everything, ended=ended)


@lru_cache(maxsize=64)
def _spec(document: str) -> ChainSpec:
    spec, _ = read(ChainSpec, loads(document))
    assert spec is not None
    return spec


def _check(row: Trigger, kept: Sequence[Instant], runs: dict[RunId, Run], *, ended: bool) -> None:
    spec = _spec(dumps(row.document))
    told = [RunId(one.origin) for one in kept]
    assert len(set(told)) == len(told), f"{row.path}: an end was told twice: {kept}"
    over = {run.id for run in runs.values() if run.job in spec.after.jobs and run.is_final}
    assert set(told) <= over, f"{row.path}: told of {set(told) - over}"
    assert not ended or set(told) == over, f"{row.path}: not told of {over - set(told)}"
    for one in kept:
        matches = runs[RunId(one.origin)].state in STATES[spec.after.on]
        assert matches is (one.fate is not Fate.UNMATCHED), f"{row.path}: {one}"
        assert bool(one.runs) is (one.fate is Fate.RUN), f"{row.path}: {one}"
    mine = [run.id for run in runs.values() if run.triggered_by and _is_of(run, row)]
    asked = [run for one in kept for run in one.runs]
    assert sorted(mine) == sorted(asked), f"{row.path}: {mine} for {asked}"
    followed = [each for run in mine for each in _after(runs[run])]
    assert len(set(followed)) == len(followed), f"{row.path}: a run was followed twice"


def _is_of(run: Run, row: Trigger) -> bool:
    """True of a run that a trigger asked for; what replays one of those is asked for by people."""
    by = run.triggered_by
    return by is not None and by.trigger == row.path and not run.replays


def _after(run: Run) -> tuple[RunId, ...]:
    return run.triggered_by.after if run.triggered_by is not None else ()
