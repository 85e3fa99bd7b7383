"""`runyard-runner serve`: the service itself.

SIGTERM and SIGINT: nothing new is taken, what runs may end within the grace, then it is cut off;
every caller gets an answer, and the process ends with 0.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from socket import socket
from typing import Any

import uvicorn
from uvicorn.config import Config

from runyard_runner import __version__
from runyard_runner.faults import Unavailable
from runyard_runner.model.result import dump
from runyard_runner.settings import Settings, read_settings
from runyard_runner.telemetry.journal import JournalHandler
from runyard_runner.wiring import Assembled, assemble

#: After the executions were cut off: time to send the answers.
_ANSWERING_SECONDS = 1.5


def configure(parser: ArgumentParser) -> None:
    """Declare its arguments."""
    parser.add_argument("--host", help="address to listen on (HOST)")
    parser.add_argument("--port", help="port to listen on (PORT); 0 takes a free one")
    parser.add_argument("--check", action="store_true", help="check the settings, and end")
    parser.add_argument("--json", action="store_true", help="with --check: answer with JSON")


def run(arguments: Namespace) -> int:
    """Serve until the process is told to stop."""
    given = {"HOST": arguments.host, "PORT": arguments.port}
    settings = read_settings(given={name: each for name, each in given.items() if each})
    assembled = assemble(settings)
    if arguments.check:
        _tell(settings, assembled, arguments.json)
        return 0
    return Server(settings, assembled).serve_until_told()


def _tell(settings: Settings, assembled: Assembled, as_json: bool) -> None:
    count = len(assembled.endpoints)
    said: dict[str, Any] = {
        "version": __version__,
        "address": settings.address,
        "port": settings["PORT"],
        "endpoints": [each.shown for each in assembled.endpoints],
    }
    words = f"The settings hold. {count} endpoint{'' if count == 1 else 's'}:\n"
    words += "".join(f"  {each.shown}\n" for each in assembled.endpoints)
    sys.stdout.write(dump(said, indent=True).decode() + "\n" if as_json else words)


class Server(uvicorn.Server):
    """uvicorn, ended our way."""

    def __init__(self, settings: Settings, assembled: Assembled) -> None:
        self._assembled = assembled
        handler = JournalHandler(assembled.journal)
        for name in ("uvicorn", "asyncio"):
            logger = logging.getLogger(name)
            logger.handlers, logger.propagate = [handler], False
            logger.setLevel(logging.WARNING)
        super().__init__(
            Config(
                assembled.app,
                host=settings.address,
                port=settings["PORT"],
                loop="uvloop",
                http="httptools",
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=round(settings["GRACE_SECONDS"] + _ANSWERING_SECONDS),
            )
        )

    def serve_until_told(self) -> int:
        """Serve; the exit status. Raises Unavailable when there is nowhere to listen."""
        try:
            self.run()
        except SystemExit:  # uvicorn's way to say that it could not begin
            place = f"{self.config.host}, port {self.config.port}"
            raise Unavailable(
                f"Cannot listen on {place}.", hint="Is it in use? Choose another one with --port."
            ) from None
        return 0

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Listen, and say where."""
        await super().startup(sockets)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._told_to_stop)
        for server in self.servers:
            host, port = server.sockets[0].getsockname()[:2]
            self._assembled.journal.record(
                "INFO",
                f"listening on http://{host}:{port}",
                version=__version__,
                endpoints=len(self._assembled.endpoints),
            )

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are ours."""
        yield

    def _told_to_stop(self) -> None:
        if self.should_exit:  # told twice: at once
            self._assembled.running.cut()
        self.should_exit = True
        self._assembled.running.stop()
        self._assembled.journal.record("INFO", "stopping")
