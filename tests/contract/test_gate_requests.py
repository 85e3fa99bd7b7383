"""Requests that the gate refuses, and what it says to them."""

from __future__ import annotations

import pytest

from runyard.model.errors import Fault, InvalidSpec, Refused
from tests.support.databases import Grounds
from tests.support.gates import Yard, in_yard
from tests.support.operations import Site
from tests.support.runs import make_spec


def test_a_region_that_the_job_is_not_in_is_refused(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await yard.apply(make_spec())
        with pytest.raises(InvalidSpec, match="report is not placed in mars") as refused:
            await yard.request(region="mars")
        assert refused.value.faults == (Fault("region", "mars", "one of us-central1"),)
        assert yard.effects() == []

    in_yard(scene, grounds)


def test_a_job_that_is_not_ready_says_where_to_look(grounds: Grounds) -> None:
    async def scene(yard: Yard) -> None:
        await Site(yard).apply(make_spec())
        with pytest.raises(Refused, match="job report is not ready: it is being created") as no:
            await yard.request()
        assert no.value.hint == "`runyard jobs get report` shows its conditions"

    in_yard(scene, grounds)
