"""The command line of the runner: what there is, and what becomes of what there is not."""

from __future__ import annotations

import json
import runpy
import sys
from argparse import Namespace
from importlib import import_module
from types import ModuleType

import pytest

from runyard_runner import __version__
from runyard_runner.commands import COMMANDS, load
from runyard_runner.main import main


def test_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    said = capsys.readouterr().out
    assert [name for name in COMMANDS if f"  {name} " not in said] == []
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"runyard-runner {__version__}\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    load(name)
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    assert f"usage: runyard-runner {name}" in capsys.readouterr().out


def test_a_command_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["swerve"]) == 64
    assert capsys.readouterr().err == (
        f"runyard-runner: There is no command 'swerve'.\n  There are: {', '.join(COMMANDS)}.\n"
    )


def test_an_argument_that_makes_no_sense(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--prot", "x", "--json"]) == 64
    said = json.loads(capsys.readouterr().out)
    assert said["success"] is False
    assert said["error"]["code"] == "INVALID_ARGUMENT"
    assert said["error"]["hint"] == "See `runyard-runner serve --help`."


def test_the_package_is_the_program() -> None:
    before, sys.argv = sys.argv, ["runyard-runner", "--version"]
    try:
        with pytest.raises(SystemExit) as ended:
            runpy.run_module("runyard_runner.__main__", run_name="__main__")
    finally:
        sys.argv = before
    assert ended.value.code == 0
    import_module("runyard_runner.__main__")  # and being imported it does nothing


def test_a_person_who_interrupts_gets_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    def run(_arguments: Namespace) -> int:
        raise KeyboardInterrupt

    name = "runyard_runner.commands.endless"
    module = ModuleType(name)
    vars(module).update(configure=lambda _parser: None, run=run)
    sys.modules[name], COMMANDS["endless"] = module, "Never ends."
    try:
        assert main(["endless"]) == 130
    finally:
        del sys.modules[name], COMMANDS["endless"]
    assert capsys.readouterr().err == ""
