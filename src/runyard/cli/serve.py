"""The server's process: `python -m runyard.cli.serve`. What `runyard up` turns into or starts.

The one file of the command line that knows the wiring. It is a process of its own so that no
other command waits for the imports of a server.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from contextlib import suppress
from dataclasses import replace
from importlib import import_module

from runyard.cli import output, report, uncollected  # noqa: F401 - before what is large
from runyard.config import Config
from runyard.model.errors import PlatformError
from runyard.process import Told
from runyard.serving import Role, serve


def main() -> int:
    """Serves until SIGTERM or SIGINT and returns the exit status."""
    parser = argparse.ArgumentParser(prog="runyard up")
    parser.add_argument("--host")
    parser.add_argument("--port", type=int)
    parser.add_argument("--google-api", type=int, dest="google_api_port")
    parser.add_argument("--ready-fd", type=int)
    parser.add_argument("--role", type=Role, default=Role.UP)
    parser.add_argument("--health-port", type=int)
    parser.add_argument("--json", choices=("yes",))
    given = parser.parse_args()
    output.open_streams()
    chosen = {name: getattr(given, name) for name in ("host", "port", "google_api_port")}
    starter = _Starter(given.ready_fd, as_json=given.json is not None)
    try:
        config = replace(
            Config.load(), **{name: value for name, value in chosen.items() if value is not None}
        )
        told = Told(starter.ready, starter.say)
        return serve(config, told, role=given.role, health_port=given.health_port)
    except PlatformError as error:
        starter.failed(error)
        return report.error(error, as_json=given.json is not None, sources={})
    except Exception as error:  # the top: nothing above would catch it
        # by name: what only a failing server needs, no other one loads
        return int(import_module("runyard.cli.trouble").own_fault(error, as_json=False))


class _Starter:
    """Who started us: a person at a terminal, or `up -d`, which waits at the end of a pipe."""

    def __init__(self, ready_fd: int | None, *, as_json: bool) -> None:
        self._fd = ready_fd
        self._as_json = as_json
        self._detached = ready_fd is not None

    def ready(self, url: str) -> None:
        """Tells where we are."""
        if self._detached:
            self._answer(url)
        elif self._as_json:
            self._line({"status": "ready", "url": url})
        else:
            output.line(f"Runyard is up at {url} (ctrl-c stops it)", at_once=True)

    def say(self, text: str) -> None:
        """Tells how it goes, to a person or a log."""
        if self._as_json:
            self._line({"status": text})
        else:
            output.line(text, at_once=True)

    def _line(self, document: dict[str, str]) -> None:
        output.line(json.dumps(document), at_once=True)

    def failed(self, error: PlatformError) -> None:
        """Tells a waiting `up -d`, which may not find it in the log: the disk may be full."""
        document = report.document(error.code, error.message, error.hint, error.faults)
        self._answer(json.dumps(document))

    def _answer(self, text: str) -> None:
        """Once: afterwards the number may be another file's."""
        if self._fd is None:
            return
        with suppress(BrokenPipeError):  # nobody waits any more
            os.write(self._fd, text.encode())
        os.close(self._fd)
        self._fd = None


if __name__ == "__main__":
    sys.exit(main())
