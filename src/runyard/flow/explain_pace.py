"""Why a run took as long as it did: held against the job's own history. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from runyard.flow.latency import RUNS_MIN, TAIL, Regression, regression
from runyard.flow.wording import count, sentence, span
from runyard.model.run import Run
from runyard.model.sketch import Sketch, merged


def pace(run: Run, durations: Mapping[int, Sketch]) -> list[str]:
    """What is unusual about how long `run` took. `durations`: of its job's runs that succeeded, by
    revision. Nothing is said of a run that has not ended, or of a job with few runs."""
    if run.started_at is None or run.ended_at is None:
        return []
    every = merged(durations.values())
    usual, rare = every.quantile(0.5), every.quantile(TAIL)
    if every.count < RUNS_MIN or usual is None or rare is None:
        return []
    took = (run.ended_at - run.started_at).total_seconds()
    told = []
    if took > rare:
        told.append(
            sentence(
                f"that is long for {run.job}: half of {count(every.count, 'run')} that succeeded "
                f"took at most {span(usual)}, and {TAIL:.0%} at most {span(rare)}"
            )
        )
    found = regression(durations)
    if found is not None and run.revision >= found.revision:
        told.append(slower(run.job, found))
    return told


def slower(job: str, found: Regression) -> str:
    """A regression in a sentence."""
    part = "half of them" if found.of == "p50" else f"{TAIL:.0%} of them"
    old, new = found.before, found.since
    was, now = (
        (old.p50_seconds, new.p50_seconds)
        if found.of == "p50"
        else (old.p95_seconds, new.p95_seconds)
    )
    return sentence(
        f"runs of {job} take longer since revision {found.revision}: {part} took at most "
        f"{span(now)} ({count(new.runs, 'run')}), and {span(was)} before "
        f"({count(old.runs, 'run')})"
    )
