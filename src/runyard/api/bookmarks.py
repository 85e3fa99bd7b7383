"""Bookmarks: how far a follower of a run was told. Each event's id is one."""

from __future__ import annotations

import re
from dataclasses import dataclass

from runyard.model.errors import Fault, InvalidSpec

FORM = r"([0-9]{1,18})-([1-9][0-9]{0,8})-([0-9]{1,18})(-end)?"


@dataclass(frozen=True, slots=True)
class Bookmark:
    """The run's version that was told (0: none yet), and the log up to `position` of the run's
    attempt `attempt`. `ended`: there is nothing more."""

    version: int = 0
    attempt: int = 1
    position: int = 0
    ended: bool = False

    def __str__(self) -> str:
        end = "-end" if self.ended else ""
        return f"{self.version}-{self.attempt}-{self.position}{end}"

    @classmethod
    def of(cls, text: str) -> Bookmark:
        """The bookmark that was written as `text`; an empty text is the beginning.

        Raises InvalidSpec.
        """
        if not text:
            return cls()
        match = re.fullmatch(FORM, text)
        if match is None:
            fault = Fault("Last-Event-ID", repr(text[:60]), "the id of an event of this stream")
            raise InvalidSpec("this is no event's id", faults=(fault,))
        version, attempt, position, end = match.groups()
        return cls(int(version), int(attempt), int(position), bool(end))
