"""Channels: which there are, and whether one works."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query
from starlette.responses import Response

from runyard.api.answers import answer
from runyard.api.permits import Who, allowed, permit
from runyard.api.queries import ChannelsQuery
from runyard.api.rest.routes import errors, router
from runyard.api.services import Services, Use
from runyard.api.shapes_channels import ChannelsShape, ChannelTestShape
from runyard.flow.access import Permission
from runyard.model.channels import ChannelName
from runyard.model.errors import NotFound, Refused
from runyard.model.notice import Notice, NoticeKind, Severity
from runyard.store.environments import EnvironmentRow

channels = router("channels")
Asked = Annotated[ChannelsQuery, Query()]
ChannelPath = Annotated[ChannelName, Path(alias="name", description="A channel's name.")]


@channels.get(
    "/channels",
    response_model=ChannelsShape,
    responses=errors(),
    dependencies=allowed(Permission.CHANNELS_READ),
)
async def list_channels(services: Use, who: Who, asked: Asked) -> Response:
    """List the channels of an environment by project and name."""
    environment = asked.environment or services.settings.environment
    await permit(services, who, Permission.CHANNELS_READ, environment)
    found = [
        {"project": row.project, "environment": row.name, "name": name, "kind": spec.kind}
        for row in await _rows(services, environment, asked.project)
        for name, spec in sorted(row.environment.channels.items())
    ]
    return answer({"channels": found})


@channels.post(
    "/channels/{name}:test",
    response_model=ChannelTestShape,
    responses=errors(404, 412),
    dependencies=allowed(Permission.CHANNELS_TEST),
)
async def try_channel(services: Use, who: Who, name: ChannelPath, asked: Asked) -> Response:
    """Tell people by a channel that it works. An error says why it does not."""
    environment = asked.environment or services.settings.environment
    await permit(services, who, Permission.CHANNELS_TEST, environment)
    row = _one(name, environment, await _rows(services, environment, asked.project))
    spec, begun = row.environment.channels[name], services.clock()
    await services.voices.send(environment, name, spec, _notice(services, row, name, who.name))
    seconds = (services.clock() - begun).total_seconds()
    document = {"project": row.project, "environment": environment, "name": name}
    return answer(document | {"kind": spec.kind, "seconds": seconds})


async def _rows(services: Services, environment: str, project: str | None) -> list[EnvironmentRow]:
    rows = await services.database.read(
        lambda tx: services.store.environments.named(tx, environment)
    )
    return [row for row in rows if project in (None, row.project)]


def _one(name: str, environment: str, rows: list[EnvironmentRow]) -> EnvironmentRow:
    fitting = [row for row in rows if name in row.environment.channels]
    if not fitting:
        raise NotFound(
            f"there is no channel {name} in environment {environment}",
            hint="declare it under `channels` of the environment, then `runyard environments "
            "apply`; `runyard alerts channels` lists those there are",
        )
    if len(fitting) > 1:
        projects = ", ".join(row.project for row in fitting)
        raise Refused(f"channel {name} is in several projects: {projects}; name one")
    return fitting[0]


def _notice(services: Services, row: EnvironmentRow, name: str, by: str) -> Notice:
    now = services.clock()
    details: tuple[tuple[str, Any], ...] = (("channel", name), ("asked by", by))
    return Notice(
        key=f"test/{row.project}/{row.name}/{name}/{now.isoformat()}",
        at=now,
        title=f"A test of the channel {name}",
        text=f"{by} asked whether this channel works. It does; there is nothing to do.",
        kind=NoticeKind.TEST,
        severity=Severity.INFO,
        environment=row.name,
        project=row.project,
        details=details,
    )
