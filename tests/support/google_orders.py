"""Orders for Google, and a provider over a stand-in, for tests."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from runyard.model.deployed import Place
from runyard.model.errors import ProviderRefused
from runyard.model.ids import AttemptKey
from runyard.model.run import Overrides
from runyard.provider.gcp.adapter import GcpProvider, Surroundings
from runyard.provider.gcp.evidence import Evidence
from runyard.provider.gcp.templates import canonical
from runyard.provider.gcp.watching import Pace
from runyard.provider.port import LaunchOrder
from runyard.provider.port_jobs import DeployOrder
from runyard.provider.port_places import Whereabouts
from tests.support.google_stand_in import StandIn

PROJECT = "shop-prod"
REGION = "us-central1"
JOB = f"projects/{PROJECT}/locations/{REGION}/jobs/report"
PLACE = Place("shop", "prod", REGION, "report")


def make_template(memory: str = "512Mi", **task: Any) -> Mapping[str, Any]:
    """A template as jobs have it."""
    container = {
        "image": "example.com/report:1",
        "args": ["--all"],
        "resources": {"limits": {"cpu": "1", "memory": memory}},
    }
    inner = {"containers": [container], "maxRetries": 0, "timeout": "600s", **task}
    return canonical({"taskCount": 2, "template": inner})


def make_order(
    key: str = "run_a/1", template: Mapping[str, Any] | None = None, **beside: Any
) -> LaunchOrder:
    """An attempt of the job `report`."""
    return LaunchOrder(
        key=AttemptKey(key),
        project="shop",
        environment="prod",
        region=REGION,
        job=beside.pop("job", "report"),
        revision=1,
        template=template or make_template(),
        overrides=beside.pop("overrides", Overrides()),
        **beside,
    )


@dataclass
class Google:
    """A provider over a stand-in, with the job deployed; `runs` is what runs say of attempts."""

    api: StandIn = field(default_factory=StandIn)
    runs: dict[AttemptKey, Whereabouts] = field(default_factory=dict)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    evidence: Evidence | None = None

    def __post_init__(self) -> None:
        self.provider = self.another()

    def another(self) -> GcpProvider:
        """A provider that knows nothing of what the first one did."""
        around = Surroundings(self._trace, self._project, lambda: self.api.now)
        return GcpProvider(self.api, around, self.news.set, Pace(0.01, 1.0, 0.01), self.evidence)

    async def deploy(self, template: Mapping[str, Any] | None = None, fence: int = 1) -> None:
        """Deploy the job."""
        await self.provider.jobs.deploy(DeployOrder(PLACE, template or make_template(), fence))
        self.api.calls.clear()

    def know(self, key: str, handle: str = "") -> AttemptKey:
        """A run has this attempt."""
        self.runs[AttemptKey(key)] = Whereabouts("shop", "prod", REGION, "report", handle)
        return AttemptKey(key)

    async def _trace(self, keys: Sequence[AttemptKey]) -> Mapping[AttemptKey, Whereabouts]:
        return {key: self.runs[key] for key in keys if key in self.runs}

    async def _project(self, project: str, environment: str) -> str:
        if environment != "prod":
            raise ProviderRefused(f"{environment} is not bound to Google")
        return PROJECT
