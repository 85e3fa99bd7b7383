"""What a provider's report means to a run: told to the gate, or nothing new."""

from __future__ import annotations

from datetime import datetime

from runyard.gate.door import Gate
from runyard.model.errors import IllegalTransition, NotFound
from runyard.model.event import Ended, Event, Launched
from runyard.model.ids import split_attempt_key
from runyard.model.outcome import Ending, Outcome
from runyard.provider.port import Phase, Report


def event_of(report: Report) -> Event:
    """A report as the event it is to a run."""
    _, attempt = split_attempt_key(report.key)
    if report.outcome is not None:
        return Ended(attempt, report.outcome)
    if report.phase is Phase.UNKNOWN:
        words = "the provider does not know this attempt any more"
        return Ended(attempt, Outcome(Ending.LOST, words, reason="LOST"))
    return Launched(attempt, report.handle, report.warnings)


async def absorb(gate: Gate, report: Report, now: datetime) -> bool:
    """Tell the run of `report`; False when it is old news (said already, or no such run)."""
    run, _ = split_attempt_key(report.key)
    try:
        await gate.tell(run, event_of(report), now)
    except (IllegalTransition, NotFound):
        return False
    return True
