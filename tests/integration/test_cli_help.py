"""Every `--help` is as it was when somebody last looked at it, and says what it should."""

from __future__ import annotations

import typing
from pathlib import Path

import pytest

from runyard.api.letter_bodies import EVERY
from runyard.cli import letter_parameters
from runyard.cli.main import COMMANDS as COMMANDS_OF_THE_LIST
from runyard.cli.main import app
from runyard.cli.runs import StateName
from runyard.model.dead_letter import LetterState
from runyard.model.failure import FailureClass
from runyard.model.run import State
from runyard.store.dead_letters import QUEUED
from tests.support.command_line import CommandLine
from tests.support.help_pages import SNAPSHOTS, commands, page, snapshot

COMMANDS = commands()
REMAKE = "run `python -m tests.support.help_pages` and look at the difference"


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(("runyard", *words)))
def test_help_is_its_snapshot(words: tuple[str, ...]) -> None:
    assert snapshot(words).exists(), REMAKE
    assert page(words) == snapshot(words).read_text(), REMAKE


def test_no_snapshot_is_left_of_a_command_that_is_no_more() -> None:
    assert {snapshot(words) for words in COMMANDS} == set(SNAPSHOTS.glob("*.txt")), REMAKE


#: `schema` prints nothing but JSON, `completion` a script for a shell, and `schedules` is a name
#: for the commands below it.
WITHOUT_JSON = {("schema",), ("completion",), ("schedules",)}


@pytest.mark.parametrize(
    "words",
    [words for words in COMMANDS if words and words not in WITHOUT_JSON],
    ids=" ".join,
)
def test_every_command_can_print_json(words: tuple[str, ...]) -> None:
    assert "--json" in page(words)


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(("runyard", *words)))
def test_no_secret_can_be_given_on_a_command_line(words: tuple[str, ...]) -> None:
    assert not {"--token", "--value", "--password"} & set(page(words).split())


def test_states_are_spelled_as_the_model_spells_them() -> None:
    assert typing.get_args(StateName) == tuple(state.value for state in State)
    classes = tuple(one.value for one in FailureClass)
    assert typing.get_args(letter_parameters.ClassName) == classes
    states = (QUEUED, EVERY, *(state.value for state in LetterState))
    assert typing.get_args(letter_parameters.StateName) == states


@pytest.mark.parametrize("word", ["--help", "-h", "--version"])
def test_the_flags_that_everybody_tries(word: str, tmp_path: Path) -> None:
    done = CommandLine(tmp_path).process(word)
    assert done.status == 0
    assert done.err == ""
    assert done.out


def test_nothing_at_all_prints_the_help(tmp_path: Path) -> None:
    done = CommandLine(tmp_path).process()
    assert done.status == 0
    assert "Usage: runyard COMMAND" in done.out


def test_the_list_of_commands_says_what_their_own_help_says() -> None:
    for name, (_, _, summary) in COMMANDS_OF_THE_LIST.items():
        assert app[name].help.splitlines()[0] == summary, name


def test_the_list_of_commands_is_complete(tmp_path: Path) -> None:
    listed = CommandLine(tmp_path).process("--help").out
    for words in COMMANDS:
        if len(words) == 1:
            assert f" {words[0]} " in listed
