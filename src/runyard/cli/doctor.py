"""`runyard doctor`: what this machine can do, and what to do where it cannot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from importlib import import_module
from typing import Any

from runyard import __version__
from runyard.cli import checks_folder, checks_google, checks_machine, output, ports
from runyard.cli.check import Check
from runyard.cli.connect import connect
from runyard.cli.parameters import AsJson
from runyard.cli.server_up import LOOPBACK
from runyard.cli.surroundings import now, settings
from runyard.cli.tables import table
from runyard.config import Config
from runyard.model.codes import exit_status
from runyard.model.errors import Code, PlatformError, ServerUnavailable


def doctor(*, json_: AsJson = False) -> int:
    """Check what this machine can do.

    Exits with 65 when something will not work. With a running server it also shows what that
    server found; without one it looks by itself.
    """
    config = settings()
    served = _status()
    abilities = served.get("abilities") if isinstance(served, dict) else None
    found = [
        *checks_machine.checks(abilities),
        *checks_folder.checks(config.state_folder, now()),
        *_database(config.database_url),
        checks_google.check(config.google_run_endpoint),
        *_server(config, served),
    ]
    if json_:
        output.document({"checks": [asdict(check) for check in found]})
    else:
        table(
            ("check", "result", "found", "what to do"),
            ((check.name, check.result, check.found, check.advice) for check in found),
        )
    failed = any(check.result == "fail" for check in found)
    return exit_status(Code.FAILED_PRECONDITION) if failed else 0


def _database(url: str) -> Iterator[Check]:
    """Of PostgreSQL, if it is used: its driver is loaded for nobody else."""
    if url:
        yield import_module("runyard.cli.checks_postgresql").check(url)


def _status() -> dict[str, Any] | PlatformError:
    try:
        told = connect().get("/status")
    except PlatformError as error:
        return error
    return told if isinstance(told, dict) else {}


def _server(config: Config, served: dict[str, Any] | PlatformError) -> Iterator[Check]:
    if isinstance(served, dict):
        version = served.get("version", "")
        same = version == __version__
        yield Check(
            "server",
            "ok" if same else "warn",
            f"answers, version {version}",
            "" if same else f"this command is {__version__}: restart the server, or update one",
        )
        google = (served.get("abilities") or {}).get("google_api")
        if google:
            token = config.state_folder / "google-api-token"
            yield Check("google api", "ok", f"at {google}", f"its token is in {token}")
        refused = (served.get("abilities") or {}).get("google_logs_refused") or {}
        for project, words in refused.items():
            yield Check("google logs", "warn", f"of {project} cannot be read", words)
        return
    if not isinstance(served, ServerUnavailable):
        yield Check("server", "fail", served.message, served.hint)
        return
    yield Check("server", "ok", "not running", "start it with `runyard up`")
    if not config.url:
        yield _port(config.host, config.port, "set RUNYARD_PORT, or `runyard up --port`")
    if config.google_api_port:
        advice = "set RUNYARD_GOOGLE_API_PORT, or `runyard up --google-api`"
        yield _port(LOOPBACK, config.google_api_port, advice)


def _port(host: str, number: int, advice: str) -> Check:
    name = f"port {number}"
    if ports.is_free(host, number):
        return Check(name, "ok", "free")
    holder = ports.holder(number) or "another process"
    return Check(name, "fail", f"in use by {holder}", advice)
