"""The command line's one entry: which command, its arguments, and what becomes of its errors."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

import orjson

from runyard_runner import __version__
from runyard_runner.commands import COMMANDS, load
from runyard_runner.faults import RunnerError, UsageError

_PROGRAM = "runyard-runner"


class _Parser(argparse.ArgumentParser):
    """Arguments that make no sense are an error like any other."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, hint=f"See `{self.prog} --help`.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that `arguments` (default: the process's own) name; its exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _run(given)
    except RunnerError as error:
        _tell(error, as_json="--json" in given)
        return error.exit_status
    except KeyboardInterrupt:
        return 130


def _run(given: list[str]) -> int:
    if given[:1] in (["--help"], ["-h"]):
        sys.stdout.write(overview())
        return 0
    if given[:1] == ["--version"]:
        sys.stdout.write(f"{_PROGRAM} {__version__}\n")
        return 0
    named = bool(given) and not given[0].startswith("-")
    name, rest = (given[0], given[1:]) if named else (next(iter(COMMANDS)), given)
    if name not in COMMANDS:
        known = ", ".join(COMMANDS)
        raise UsageError(f"There is no command {name!r}.", hint=f"There are: {known}.")
    command = load(name)
    parser = _Parser(prog=f"{_PROGRAM} {name}", description=COMMANDS[name])
    command.configure(parser)
    return command.run(parser.parse_args(rest))


def overview() -> str:
    """What there is to call."""
    width = max(len(name) for name in COMMANDS)
    lines = [f"  {name:{width}}  {text}" for name, text in COMMANDS.items()]
    return "\n".join(
        [
            f"usage: {_PROGRAM} [COMMAND] [OPTIONS]",
            "",
            *lines,
            "",
            f"`{_PROGRAM} COMMAND --help` says more, `{_PROGRAM} --version` which one this is.",
            "",
        ]
    )


def _tell(error: RunnerError, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(orjson.dumps(error.as_json(), option=orjson.OPT_INDENT_2).decode() + "\n")
        return
    lines = [f"{_PROGRAM}: {error.message}"]
    lines += [f"  {fault}" for fault in error.faults]
    lines += [f"  {error.hint}"] if error.hint else []
    sys.stderr.write("\n".join(lines) + "\n")
