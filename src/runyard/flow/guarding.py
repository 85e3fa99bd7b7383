"""The guards of an environment at an instant, from what its manifest said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from runyard.flow.freezing import Zones, freeze_at
from runyard.model.environment import Environment, Freeze, weekly_of
from runyard.model.policy import Frozen, Guards, Names


def guards_at(environments: Sequence[Environment], now: datetime, zones: Zones) -> Guards:
    """The guards of all of `environments` together: those of one name in several projects, when
    it is not known whose is meant. Each list of names narrows the others down."""
    frozen = (freeze_at(one.freeze, now, zones) for one in environments)
    freeze = next((one for one in frozen if one is not None), None)
    return Guards(
        approvals=max((one.approvals for one in environments), default=0),
        frozen=None if freeze is None else Frozen(freeze.reason, _until(freeze)),
        changers=_narrowed([one.allow.change for one in environments]),
        runners=_narrowed([one.allow.run for one in environments]),
        approvers=_narrowed([one.allow.approve for one in environments]),
    )


def _until(freeze: Freeze) -> str:
    return f"{freeze.until} ({freeze.time_zone})" if weekly_of(freeze.until) else freeze.until


def _narrowed(lists: Sequence[tuple[str, ...]]) -> Names:
    said = [names for names in lists if names]
    if not said:
        return None
    return tuple(name for name in said[0] if all(name in names for names in said))
