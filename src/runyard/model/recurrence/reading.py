"""One text, whichever way it is written: cron, a nickname, English, or `every 15m`."""

from __future__ import annotations

import re
from functools import lru_cache

from runyard.model import durations
from runyard.model.recurrence.cron import FIELDS_EXPECTED, read_cron
from runyard.model.recurrence.english import EXAMPLES, read_english
from runyard.model.recurrence.nouns import Every, NotARecurrence, Recurrence

TEXT_MAX = 500  #: characters; the longest that means something has about 200
PERIOD_SECONDS_MAX = 366 * 24 * 3600
KEPT_MAX = 1024  #: recurrences, of some twelve kilobytes at most

#: The nicknames of crontab(5). `@reboot` has no meaning here.
NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_PERIOD = re.compile(r"every\s+(?P<period>(?:\d+[hms])+)", re.IGNORECASE)


@lru_cache(maxsize=KEPT_MAX)
def read(text: str) -> Recurrence:
    """What `text` means. Raises NotARecurrence with the part at fault. What was read is kept, since
    jobs have their schedules in common."""
    stripped = text.strip()
    if not 0 < len(stripped) <= TEXT_MAX:
        raise NotARecurrence(stripped[:20], f"a schedule of 1 to {TEXT_MAX} characters")
    if stripped.startswith("@"):
        return _nickname(stripped)
    if match := _PERIOD.fullmatch(stripped):
        return _every(match["period"].lower())
    if stripped[0].isalpha() or ":" in stripped or re.search(r"\sof\s", stripped.lower()):
        return read_english(stripped)
    return read_cron(stripped)


def _nickname(text: str) -> Recurrence:
    cron = NICKNAMES.get(text.lower())
    if cron is None:
        known = ", ".join(NICKNAMES)
        raise NotARecurrence(text, f"{FIELDS_EXPECTED}, or one of {known}")
    return read_cron(cron)


def _every(period: str) -> Every:
    try:
        nanos = durations.nanos_of(period)
    except ValueError:
        hint = "largest unit first, as every 1h30m"
        raise NotARecurrence(period, f"a period, or a schedule {EXAMPLES}", hint) from None
    seconds = nanos // durations.SECOND_NANOS
    if not 1 <= seconds <= PERIOD_SECONDS_MAX:
        raise NotARecurrence(period, "a period from 1s to 8784h")
    return Every(seconds)
