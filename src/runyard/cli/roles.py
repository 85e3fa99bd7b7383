"""`runyard server` and `runyard engine`: what `runyard up` is in one process, as several."""

from __future__ import annotations

import os
import sys
from typing import Annotated

from cyclopts import Parameter

from runyard.cli import ports
from runyard.cli.parameters import AsJson
from runyard.cli.server_process import command
from runyard.cli.surroundings import settings
from runyard.config import Config
from runyard.model.errors import Refused


def server(
    *,
    port: Annotated[int | None, Parameter(help="Else RUNYARD_PORT; 0 takes a free one.")] = None,
    host: Annotated[str | None, Parameter(help="Else RUNYARD_HOST.")] = None,
    json_: AsJson = False,
) -> None:
    """Start a server without an engine, beside others on one PostgreSQL database.

    It takes requests and shows what there is; engines do the work. It stays in the foreground
    until ctrl-c, and several may run.
    """
    config = _shared()
    ports.check("server --port", host or config.host, config.port if port is None else port)
    _become(command(host, port, role="server", json=_word(json_)))


def engine(
    *,
    health_port: Annotated[
        int | None,
        Parameter(help="Answer `/health`, `/ready` and `/metrics` there, for who watches over it."),
    ] = None,
    json_: AsJson = False,
) -> None:
    """Start an engine without a server, beside others on one PostgreSQL database.

    The first one of a state folder works; further ones stand by, and take its place as soon as
    it dies, or once it has given no sign of life for RUNYARD_ENGINE_LEASE_SECONDS. It stays in
    the foreground until ctrl-c; tasks that are running then go on.
    """
    config = _shared()
    if health_port is not None:
        ports.check("engine --health-port", config.host, health_port)
    _become(command(None, None, role="engine", health_port=health_port, json=_word(json_)))


def _word(as_json: bool) -> str | None:
    return "yes" if as_json else None


def _shared() -> Config:
    """The settings, with a database that several processes share. Raises Refused."""
    config = settings()
    if not config.database_url:
        raise Refused(
            "servers and engines in processes of their own share a PostgreSQL database, and "
            "RUNYARD_DATABASE_URL names none",
            hint="name one, or use `runyard up`, which is server and engine in one process",
        )
    return config


def _become(words: list[str]) -> None:
    """This process turns into the one asked for."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(words[0], words)  # noqa: S606  # this program itself, from no input but checked options
