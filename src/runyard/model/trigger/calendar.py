"""A calendar: named days of the manifest on which schedules do not run."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator

from runyard.model.forms import Counted, unexpected
from runyard.model.strict import Strict
from runyard.model.trigger.schedule import BLACKOUTS_MAX, Period
from runyard.model.trigger.words import is_day


def _period(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if not is_day(value):
        raise unexpected("a day such as 2026-12-24, or a period with from and to")
    return {"from": value, "to": value}


class Calendar(Strict):
    """Days, or periods with a reason. One day alone is written as it is."""

    days: Annotated[
        tuple[
            Annotated[Period, BeforeValidator(_period, json_schema_input_type=str | Period)], ...
        ],
        Counted(1, BLACKOUTS_MAX),
    ]

    def periods(self, name: str) -> tuple[Period, ...]:
        """Its days, each with a reason; what says none has the calendar's `name`."""
        given = {"reason": f"calendar {name}"}
        return tuple(one if one.reason else one.model_copy(update=given) for one in self.days)
