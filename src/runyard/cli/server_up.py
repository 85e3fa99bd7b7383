"""`runyard up`: server, engine and the cloud on this machine, in one process."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from pathlib import Path
from typing import Annotated, BinaryIO

from cyclopts import Parameter

from runyard.cli import output, ports
from runyard.cli.parameters import AsJson
from runyard.cli.server_process import LOG_FILE, command, running
from runyard.cli.surroundings import settings
from runyard.model.errors import Fault, InvalidSpec, PermissionDenied, ServerUnavailable

START_SECONDS_MAX = 60.0
_LOG_LINES_SHOWN = 15
_PORT_MAX = 65_535


def up(
    *,
    port: Annotated[int | None, Parameter(help="Else RUNYARD_PORT.")] = None,
    host: Annotated[str | None, Parameter(help="Else RUNYARD_HOST.")] = None,
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
    _check_port(host or config.host, config.port if port is None else port)
    if detach:
        _say(_detached(config.state_folder, host, port), "started", json_)
        return
    sys.stdout.flush()
    sys.stderr.flush()
    words = command(host, port)
    os.execv(words[0], words)  # noqa: S606  # this program itself, from no input but two checked options


def _say(url: str, what: str, as_json: bool) -> None:
    if as_json:
        output.document({"url": url, "status": what.replace(" ", "_")})
    else:
        output.line(url)
        output.note(f"{what}; `runyard status` says how it is, `runyard down` stops it")


def _check_port(host: str, port: int) -> None:
    if not 0 <= port <= _PORT_MAX:
        fault = Fault("--port", str(port), f"0 to {_PORT_MAX}; 0 takes a free one")
        raise InvalidSpec("there is no such port", faults=(fault,))
    if ports.is_free(host, port):
        return
    holder = ports.holder(port)
    by = f" by {holder}" if holder else ", or not ours to use"
    raise ServerUnavailable(
        f"port {port} on {host} is in use{by}",
        hint=f"take another: `runyard up --port {port + 1 if port < _PORT_MAX else 0}`",
    )


def _detached(folder: Path, host: str | None, port: int | None) -> str:
    """Starts a server in a session of its own and waits until it tells its address."""
    reader, writer = os.pipe()
    with _log(folder) as log:
        process = subprocess.Popen(  # noqa: S603  # as above
            command(host, port, writer),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=(writer,),
            cwd=folder,
        )
    os.close(writer)
    with os.fdopen(reader, "rb", buffering=0) as told:
        ready, _, _ = select.select([told], [], [], START_SECONDS_MAX)
        url = told.read(4096).decode() if ready else ""
    if not url:
        raise _failed(process, folder / LOG_FILE, ended=bool(ready))
    process.returncode = 0  # it is not ours to wait for, and Popen need not warn of that
    return url


def _log(folder: Path) -> BinaryIO:
    """The server's log file, begun anew, readable by its owner only."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return open(folder / LOG_FILE, "wb", opener=_private)
    except OSError as error:
        raise PermissionDenied(
            f"{folder} cannot be written: {error.strerror}",
            hint="set RUNYARD_STATE_FOLDER to a folder of yours",
        ) from None


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _failed(process: subprocess.Popen[bytes], log: Path, *, ended: bool) -> ServerUnavailable:
    if not ended:
        process.terminate()
    process.wait()
    lines = log.read_text(errors="replace").splitlines()[-_LOG_LINES_SHOWN:]
    why = "ended" if ended else f"was not ready within {START_SECONDS_MAX:.0f} s"
    return ServerUnavailable(
        "\n".join([f"the server {why}; the end of {log}:", *(f"  {line}" for line in lines)]),
        hint="`runyard doctor` checks this machine",
    )
