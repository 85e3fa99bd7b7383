"""What every test may ask for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.support.databases import KINDS, Grounds
from tests.support.postgresql import Server, running

# Machines that run tests are shared and slow at times; how long an example takes says nothing.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A PostgreSQL server of this test process, started when first asked for."""
    with running() as server:
        yield server


@pytest.fixture(params=KINDS)
def grounds(request: pytest.FixtureRequest) -> Grounds:
    """Where databases are opened: a test that asks for it is run on each kind of database."""
    kind = request.param
    server = request.getfixturevalue("postgresql") if kind == "postgresql" else None
    return Grounds(kind, request.getfixturevalue("tmp_path"), server)
