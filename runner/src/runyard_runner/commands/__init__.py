"""Which commands there are. A new one is a line here and a module beside this file.

A module of a command has two functions: `configure(parser)` declares its arguments, and
`run(arguments)` does it and gives the exit status. It is loaded when it is called, so that a
service does not pay for the imports of a command that it is not.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from importlib import import_module
from typing import Protocol, cast

#: Name: one line of help. The first is what `runyard-runner` does when no command is named.
COMMANDS: dict[str, str] = {
    "serve": "Start the service (what happens when no command is named).",
    "cron": "Tell the cron line for Cloud Scheduler that says a schedule, and its like in UTC.",
    "estimate": "Tell what a runner costs a month, by list prices.",
}


class Command(Protocol):
    """The module of a command."""

    def configure(self, parser: ArgumentParser) -> None:
        """Declare its arguments."""

    def run(self, arguments: Namespace) -> int:
        """Do it, and give the exit status. Raises RunnerError."""


def load(name: str) -> Command:
    """The module of a command that there is."""
    return cast(Command, import_module(f"{__name__}.{name}"))
