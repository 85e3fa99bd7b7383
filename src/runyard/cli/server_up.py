"""`runyard up`: server, engine and the cloud on this machine, in one process."""

from __future__ import annotations

import os
import sys
from typing import Annotated

from cyclopts import Parameter

from runyard.cli import output, ports
from runyard.cli.parameters import AsJson
from runyard.cli.server_process import command, running, start
from runyard.cli.surroundings import settings

LOOPBACK = "127.0.0.1"  #: where the Google API is served, and nowhere else


def up(
    *,
    port: Annotated[int | None, Parameter(help="Else RUNYARD_PORT.")] = None,
    host: Annotated[str | None, Parameter(help="Else RUNYARD_HOST.")] = None,
    google_api: Annotated[
        int | None,
        Parameter(
            help="Answer as Google's Cloud Run API at this port of this machine. Else "
            "RUNYARD_GOOGLE_API_PORT."
        ),
    ] = None,
    detach: Annotated[
        bool,
        Parameter(
            name=["--detach", "-d"],
            help="Start it in the background, and return when it is ready.",
        ),
    ] = False,
    json_: AsJson = False,
) -> None:
    """Start the server.

    Without `--detach` it stays in the foreground until Ctrl-C. If it is running already, its
    address is printed and nothing else is done.
    """
    config = settings()
    found = running(config.state_folder)
    if found is not None:
        _say(found.url, "already running", json_)
        return
    ports.check("up --port", host or config.host, config.port if port is None else port)
    google_port = config.google_api_port if google_api is None else google_api
    if google_port is not None:
        ports.check("up --google-api", LOOPBACK, google_port)
    if detach:
        url = start(config.state_folder, host, port, google_api=google_api)
        _say(url, "started", json_)
        return
    sys.stdout.flush()
    sys.stderr.flush()
    words = command(host, port, google_api=google_api)
    os.execv(words[0], words)  # noqa: S606  # this program itself, from no input but checked options


def _say(url: str, what: str, as_json: bool) -> None:
    if as_json:
        output.document({"url": url, "status": what.replace(" ", "_")})
    else:
        output.line(url)
        output.note(f"{what}; `runyard status` says how it is, `runyard down` stops it")
