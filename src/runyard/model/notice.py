"""What people are told: a notice, how bad it is, and what kind of news."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Severity(StrEnum):
    """How bad it is, in PagerDuty's words, the least first."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Grows with it."""
        return list(Severity).index(self)


class NoticeKind(StrEnum):
    """What kind of news it is."""

    OPENED = "opened"  # there is an incident
    WORSENED = "worsened"  # something joined it, or it is worse than it was
    ACKNOWLEDGED = "acknowledged"  # somebody has it
    ESCALATED = "escalated"  # nobody had it in time
    RESOLVED = "resolved"  # it is over
    ANNOUNCED = "announced"  # about no incident
    TEST = "test"  # somebody asked whether the channel works


@dataclass(frozen=True, slots=True)
class Notice:
    """Something people should know.

    `key` is the same for every telling of the same thing, and of nothing else; `thread` the same
    for all that is about one incident. What it is not about is empty: `job`, `run`, `region` and
    so on. `link` leads to where more is. `details` are more facts by their names, in order.
    """

    key: str
    at: datetime
    title: str
    text: str
    kind: NoticeKind = NoticeKind.ANNOUNCED
    severity: Severity = Severity.INFO
    thread: str = ""
    environment: str = ""
    project: str = ""
    job: str = ""
    run: str = ""
    region: str = ""
    rule: str = ""
    link: str = ""
    details: tuple[tuple[str, str], ...] = ()

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """All that is known of it by name, what is empty left out."""
        named = (
            ("severity", str(self.severity)),
            ("environment", self.environment),
            ("project", self.project),
            ("job", self.job),
            ("run", self.run),
            ("region", self.region),
            ("rule", self.rule),
            *self.details,
        )
        return tuple((name, value) for name, value in named if value)
