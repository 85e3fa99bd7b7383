"""What callers send about triggers."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from runyard.api.body_parts import Instant, Whole
from runyard.flow.schedule.backfilling import PARALLEL_MAX
from runyard.model.forms import Between, Shaped
from runyard.model.strict import Strict

BackfillId = Annotated[
    str,
    Shaped(r"bf_[0-9a-hjkmnp-tv-z]{26}", "a backfill's id, such as bf_01k…", 29),
]


class BackfillBody(Strict):
    """Which instants of the past shall have runs, and how many of those at once."""

    since: Instant
    until: Annotated[Instant, Field(description="Itself outside.")]
    parallelism: Annotated[int, Whole, Between(1, PARALLEL_MAX)] = 1
    again: bool = Field(default=False, description="Also instants that have had a run.")
    preview: bool = Field(default=False, description="Say what there would be, and do nothing.")


class CancelBackfillBody(Strict):
    """Which backfill shall end."""

    id: BackfillId


class RedeliverBody(Strict):
    """How a delivery is brought again."""

    as_it_was: bool = Field(
        default=False,
        description="To the job's revision, and its trigger, that it was decided on by.",
    )


TRIGGER_BODIES: tuple[type[Strict], ...] = (BackfillBody, CancelBackfillBody, RedeliverBody)
