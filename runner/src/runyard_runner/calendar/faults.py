"""What is wrong with a schedule, or an amount beside it, that somebody wrote."""

from __future__ import annotations

from runyard_runner.faults import Fault, UsageError


class ScheduleError(UsageError):
    """What cannot be taken: the part, its value, what was expected, what to do."""

    def __init__(self, part: str, value: str, expected: str, hint: str) -> None:
        fault = Fault(part, repr(value), expected)
        super().__init__("Cannot use what was given.", f"{hint[:1].upper()}{hint[1:]}.", (fault,))
        self.part = part
        self.value = value
        self.expected = expected
