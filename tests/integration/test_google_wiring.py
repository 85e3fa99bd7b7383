"""How a process comes to Google: the extra, the credentials, where attempts and projects are."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import Any

import pytest

from runyard.engine.due import DueLoop
from runyard.gate.environments import ApplyEnvironments
from runyard.google_wiring import Google, KeptPlaces, Site
from runyard.model.environment import Environment, ProviderName
from runyard.model.errors import ConfigError, ProviderRefused
from runyard.model.event import Ended, Launched
from runyard.model.ids import AttemptKey, attempt_key
from runyard.model.outcome import Ending
from runyard.provider.gcp import opening
from tests.support.gates import Yard, in_yard
from tests.support.runs import make_outcome, make_spec

HANDLE = "projects/p/locations/us-central1/jobs/report/executions/report-abcde"
HERE = "http://127.0.0.1:9"


def test_an_extra_that_is_missing_is_named_once_in_a_while() -> None:
    async def scene(yard: Yard) -> None:
        looks: list[str] = []

        def missing(name: str) -> Any:
            looks.append(name)
            raise ImportError(name)

        google = Google(Site(HERE), KeptPlaces(yard.database, yard.store), lambda: None, missing)
        for _ in range(2):
            with pytest.raises(ConfigError, match="google-cloud-run is not installed") as caught:
                await google.provider()
        assert "runyard[google]" in caught.value.hint
        assert looks == ["runyard.provider.gcp.opening"]
        assert google.opened is None
        assert google.refused_logs() == {}
        await google.close()

    in_yard(scene)


def test_nobody_imports_google_before_it_is_needed() -> None:
    program = "import sys, runyard.serving; print({'google.auth', 'grpc'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.decode().strip() == "set()"


def test_it_is_opened_once_by_who_needs_it_first() -> None:
    async def scene(yard: Yard) -> None:
        google = Google(Site(HERE), KeptPlaces(yard.database, yard.store), lambda: None)
        first, jobs, eyes = await asyncio.gather(google.provider(), google.jobs(), google.viewer())
        assert google.opened is first is await google.provider()
        assert first.jobs is jobs
        assert eyes is await google.viewer()
        assert google.refused_logs() == {}
        await google.close()
        await google.close()

    in_yard(scene)


@pytest.mark.parametrize("endpoint", ["http://localhost:1", "http://[::1]:1", "http://127.0.0.9:1"])
def test_an_endpoint_of_this_machine_gets_no_credentials(endpoint: str) -> None:
    assert opening.connect(endpoint) is not None
    assert opening.connect(endpoint, endpoint) is not None


def test_credentials_do_not_go_in_the_clear() -> None:
    with pytest.raises(ConfigError, match="RUN_ENDPOINT is http://run"):
        opening.connect("http://run.example.com")
    with pytest.raises(ConfigError, match="LOGGING_ENDPOINT is http://logging"):
        opening.connect(HERE, "http://logging.example.com")


def test_projects_are_those_in_force() -> None:
    async def scene(yard: Yard) -> None:
        rows = KeptPlaces(yard.database, yard.store)
        assert not await rows.is_any_far()
        assert (await rows.of("shop", "local")).provider is ProviderName.LOCAL
        with pytest.raises(ProviderRefused, match="bound to no Google project"):
            await rows.google_project("shop", "prod")
        bound = Environment(provider=ProviderName.GCP, googleProject="shop-prod")
        await yard.gate.ask(ApplyEnvironments("shop", {"prod": bound}, "ann", yard.now))
        fresh = KeptPlaces(yard.database, yard.store)
        assert await fresh.is_any_far()
        assert await fresh.google_project("shop", "prod") == "shop-prod"

    in_yard(scene)


def test_what_was_bound_to_google_once_is_asked_about_for_ever() -> None:
    async def scene(yard: Yard) -> None:
        async def bind(environment: Environment) -> None:
            await yard.gate.ask(ApplyEnvironments("shop", {"prod": environment}, "ann", yard.now))

        await bind(Environment(provider=ProviderName.GCP, googleProject="shop-prod"))
        before = KeptPlaces(yard.database, yard.store)
        assert await before.is_any_far()
        await bind(Environment())
        started_again = KeptPlaces(yard.database, yard.store)
        assert await started_again.is_any_far()
        assert await before.is_any_far()
        with pytest.raises(ProviderRefused, match="bound to no Google project"):
            await started_again.google_project("shop", "prod")

    in_yard(scene)


def test_runs_say_where_their_attempts_are() -> None:
    async def scene(yard: Yard) -> None:
        rows = KeptPlaces(yard.database, yard.store)
        await yard.apply(make_spec(retry={"attempts": 2, "backoff": {"initial": "10s"}}))
        run = await yard.request()
        first = attempt_key(run.id, 1)
        assert (await rows.trace([first]))[first].handle == ""
        await yard.tell(run, Launched(1, HANDLE))
        there = (await rows.trace([first]))[first]
        assert (there.job, there.region, there.handle) == (run.job, run.region, HANDLE)
        await yard.tell(run, Ended(1, make_outcome(Ending.FAILED)))
        yard.later(10)
        await DueLoop(yard.gate, yard.database, yard.store).tick(yard.now)
        second = attempt_key(run.id, 2)
        found = await rows.trace([first, second, AttemptKey("run_x/1")])
        assert {key: each.handle for key, each in found.items()} == {first: HANDLE, second: ""}

    in_yard(scene)
