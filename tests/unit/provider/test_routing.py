"""Two providers behind the one port: who is asked for what."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from runyard.model.deployed import Place
from runyard.model.environment import Environment, ProviderName
from runyard.model.errors import ConfigError, ProviderUnavailable
from runyard.model.ids import AttemptKey
from runyard.model.operation import StepKind
from runyard.provider.port import LogPlace, LogWanted, Phase, Progress, Provider, Report
from runyard.provider.port_access import Identity
from runyard.provider.port_jobs import DeployOrder
from runyard.provider.port_places import Whereabouts
from runyard.provider.routing.hands import Places, RoutedProvider
from runyard.provider.routing.viewer import RoutedViewer
from tests.support.fake_provider import ScriptedProvider
from tests.support.fake_viewer import FakeViewer
from tests.support.google_orders import make_order, make_template
from tests.support.google_stand_in import START

FAR, HERE = AttemptKey("run_far/1"), AttemptKey("run_here/1")
GCP = Environment(provider=ProviderName.GCP, googleProject="shop-prod")


@dataclass
class Both:
    """Two providers; `prod` is bound to the far one."""

    here: ScriptedProvider = field(default_factory=lambda: ScriptedProvider("here"))
    away: ScriptedProvider = field(default_factory=lambda: ScriptedProvider("away"))
    bound: dict[str, Environment] = field(default_factory=lambda: {"prod": GCP})
    runs: dict[AttemptKey, Whereabouts] = field(default_factory=dict)
    opened: Provider | None = None
    missing: bool = False
    traced: list[Sequence[AttemptKey]] = field(default_factory=list)

    async def of(self, project: str, environment: str) -> Environment:
        return self.bound.get(environment, Environment())

    async def is_any_far(self) -> bool:
        return any(one.provider is ProviderName.GCP for one in self.bound.values())

    async def provider(self) -> Provider:
        if self.missing:
            raise ConfigError("nothing is installed", hint="install it")
        self.opened = self.away
        return self.away

    async def trace(self, keys: Sequence[AttemptKey]) -> Mapping[AttemptKey, Whereabouts]:
        self.traced.append(list(keys))
        return {key: self.runs[key] for key in keys if key in self.runs}

    def know(self, key: AttemptKey, environment: str, handle: str = "") -> None:
        """A run has this attempt."""
        self.runs[key] = Whereabouts("shop", environment, "us-central1", "report", handle)

    def places(self) -> Places:
        return Places(self, self.trace)

    def routed(self) -> RoutedProvider:
        return RoutedProvider(self.here, self, self.places())


def test_an_environment_says_where_its_attempts_go() -> None:
    async def main() -> None:
        both = Both()
        routed = both.routed()
        await routed.start()
        await routed.launch(replace(make_order(HERE), environment="local"))
        await routed.launch(replace(make_order(HERE), environment="dev"))
        await routed.launch(make_order(FAR))
        assert both.here.called("launch") == [HERE, HERE]
        assert both.away.called("launch") == [FAR]
        assert both.away.called("start") == []  # who opens it starts it
        for key in (FAR, HERE):
            await routed.stop(key)
            await routed.release(key)
            await routed.forget(key)
        for operation in ("stop", "release", "forget"):
            assert both.here.called(operation) == [HERE]
            assert both.away.called(operation) == [FAR]
        both.here.news, both.away.news = [Report(HERE, Phase.RUNNING)], [Report(FAR, Phase.RUNNING)]
        assert {report.key for report in await routed.changed()} == {HERE, FAR}
        assert await routed.log_bytes() == 0
        await routed.close()
        assert both.away.called("close") == both.here.called("close") == [""]

    asyncio.run(main())


def test_attempts_of_before_are_found_by_their_handles() -> None:
    async def main() -> None:
        both = Both()
        both.know(FAR, "dev", "projects/p/locations/r/jobs/j/executions/e")  # bound otherwise since
        both.know(HERE, "prod", "report-abcde")
        unlaunched, unknown = AttemptKey("run_new/1"), AttemptKey("run_gone/1")
        both.know(unlaunched, "prod")
        both.away.reports = {FAR: Report(FAR, Phase.RUNNING, "away")}
        both.here.reports = {HERE: Report(HERE, Phase.RUNNING, "here")}
        routed = both.routed()
        keys = [HERE, FAR, unlaunched, unknown, HERE]
        reports = await routed.look(keys)
        assert [report.handle for report in reports] == ["here", "away", "", "", "here"]
        assert both.away.called("look") == [f"{FAR},{unlaunched}"]
        await routed.look(keys)
        assert both.traced == [keys, [unknown]]

    asyncio.run(main())


def test_nobody_is_asked_while_everything_is_here() -> None:
    async def main() -> None:
        both = Both(bound={}, missing=True)
        routed = both.routed()
        await routed.launch(replace(make_order(HERE), environment="dev"))
        await routed.stop(HERE)
        await routed.look([HERE, FAR])
        assert await routed.changed() == []
        await routed.close()
        assert both.traced == []
        assert both.here.called("look") == [f"{HERE},{FAR}"]

    asyncio.run(main())


def test_what_cannot_be_reached_is_unavailable_with_the_reason() -> None:
    async def main() -> None:
        both = Both(missing=True)
        with pytest.raises(ProviderUnavailable, match="nothing is installed") as caught:
            await both.routed().launch(make_order(FAR))
        assert (caught.value.hint, caught.value.name) == ("install it", "gcp")

    asyncio.run(main())


def test_what_is_here_is_looked_at_while_the_other_does_not_answer() -> None:
    async def main() -> None:
        both = Both(missing=True)
        both.know(FAR, "prod", "projects/p/locations/r/jobs/j/executions/e")
        both.here.reports = {HERE: Report(HERE, Phase.RUNNING, "here")}
        reports = await both.routed().look([FAR, HERE])
        assert [report.phase for report in reports] == [Phase.UNSEEN, Phase.RUNNING]
        await both.routed().forget(FAR)
        assert both.here.called("forget") == both.away.called("forget") == []
        both.missing = False
        both.away.fails.append(ProviderUnavailable("503"))
        reports = await both.routed().look([FAR])
        assert [report.phase for report in reports] == [Phase.UNSEEN]

    asyncio.run(main())


def test_jobs_and_access_go_where_the_environment_is() -> None:
    async def main() -> None:
        both = Both()
        routed = both.routed()
        far = Place("shop", "prod", "us-central1", "report")
        here = far._replace(environment="local")
        for place in (far, here):
            await routed.jobs.deploy(DeployOrder(place, make_template(), 1))
        found = await routed.jobs.deployed([here, far, here._replace(job="other")])
        assert [None if job is None else job.place for job in found] == [here, far, None]
        assert await both.away.jobs.deployed([far]) == [found[1]]
        assert await both.here.jobs.deployed([far]) == [None]
        assert await routed.jobs.network(far, make_template())
        assert await routed.jobs.remove(far, 9)
        assert await routed.jobs.deployed([far]) == [None]
        identity = Identity("shop", "prod", "report", {"template": make_template()}, {})
        await routed.access.do(StepKind.IDENTITY, identity)
        await routed.access.undo(StepKind.IDENTITY, identity, ())
        await routed.access.missing(identity)

    asyncio.run(main())


def test_people_see_both() -> None:
    async def main() -> None:
        both = Both()
        both.know(FAR, "prod", "projects/p/locations/r/jobs/j/executions/e")
        near, away = FakeViewer(START), FakeViewer(START)
        near.write(HERE, "near")
        away.write(FAR, "away")

        async def there() -> FakeViewer:
            return away

        viewer = RoutedViewer(near, there, both.places())
        for key, text in ((FAR, "away"), (HERE, "near")):
            assert [entry.text for entry in (await viewer.log(key)).entries] == [text]
            assert await viewer.tasks(key) == []
            assert await viewer.progress(key) == Progress()
        wanted = (LogWanted(),)
        places = [LogPlace(FAR, 5, wanted), LogPlace(HERE, 0, wanted)]
        sifted = await viewer.sift(places)
        near_first = await viewer.sift(list(reversed(places)))
        assert near_first == list(reversed(sifted))
        assert sifted == [*await away.sift(places[:1]), *await near.sift(places[1:])]
        assert len(await viewer.sift(places[1:])) == 1

        async def nowhere() -> FakeViewer:
            raise ConfigError("no library")

        cut_off = RoutedViewer(near, nowhere, both.places())
        first, second = await cut_off.sift(places)
        assert (first.after, first.complete, first.ended) == (5, True, True)
        assert second == sifted[1]

    asyncio.run(main())


def test_logs_are_searched_in_both_places_and_the_newest_lines_kept() -> None:
    async def main() -> None:
        both = Both()
        both.know(FAR, "prod", "projects/p/locations/r/jobs/j/executions/e")
        near, away = FakeViewer(START), FakeViewer(START + timedelta(seconds=1))
        near.write(HERE, "1", "2")
        away.write(FAR, "3", "4")

        async def there() -> FakeViewer:
            return away

        async def nowhere() -> FakeViewer:
            raise ConfigError("no library", hint="install it")

        viewer = RoutedViewer(near, there, both.places())
        found = await viewer.search([FAR, HERE], LogWanted(text="x"), 5)
        assert [(key, one.text) for key, one in found.found] == [
            (HERE, "1"), (HERE, "2"), (FAR, "3"), (FAR, "4"),
        ]  # fmt: skip
        assert (found.complete, found.bytes_searched, found.unsearched) == (True, 20, ())
        assert away.wanted == LogWanted(text="x")
        newest = await viewer.search([FAR, HERE], LogWanted(), 3)
        assert [one.text for _, one in newest.found] == ["2", "3", "4"]
        assert not (await viewer.search([FAR, HERE], LogWanted(), 1)).complete  # of either place

        cut_off = RoutedViewer(near, nowhere, both.places())
        found = await cut_off.search([FAR, HERE], LogWanted(), 5)
        assert [key for key, _ in found.found] == [HERE, HERE]
        assert not found.complete
        assert found.unsearched == (
            "1 attempts: this process does not reach gcp: no library; install it",
        )
        assert await cut_off.search([HERE], LogWanted(), 5) == await near.search(
            [HERE], LogWanted(), 5
        )

        async def failing() -> FakeViewer:
            raise ProviderUnavailable("out of order")

        broken = RoutedViewer(near, failing, both.places())
        assert (await broken.search([FAR], LogWanted(), 5)).unsearched == (
            "1 attempts: out of order",
        )

    asyncio.run(main())
