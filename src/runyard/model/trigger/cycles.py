"""Jobs that follow jobs: no job may come after itself, over however many others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence


def way(follows: Mapping[str, Iterable[str]], begin: str, end: str) -> tuple[str, ...]:
    """The jobs from `begin` to `end`, each of which follows the next; empty where there is no such
    way. `follows` has the jobs that each job comes after."""
    before: dict[str, str] = {}
    waiting = [begin]
    seen = {begin}
    while waiting:
        here = waiting.pop(0)
        if here == end:
            return _back(before, begin, end)
        for job in sorted(follows.get(here, ())):
            if job not in seen:
                seen.add(job)
                before[job] = here
                waiting.append(job)
    return ()


def _back(before: Mapping[str, str], begin: str, end: str) -> tuple[str, ...]:
    found = [end]
    while found[-1] != begin:
        found.append(before[found[-1]])
    return tuple(reversed(found))


def cycle_words(job: str, found: Sequence[str]) -> str:
    """What is wrong with a chain of `job` whose source leads back to it over `found`."""
    return f"a job that does not come after {job} itself: {' after '.join((job, *found))}"
