"""Where the values of settings come from.

A value comes from the environment (`RUNYARD_PORT`), else from a TOML file (`port = 8327`), else
it is the default; where it came from is remembered. The file is the one that `RUNYARD_CONFIG`
names, else `config.toml` in the state folder where there is one. A name that is no setting is a
fault, and all faults are told at once.
"""

from __future__ import annotations

import difflib
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from runyard.model import settings as read
from runyard.model.errors import ConfigError, Fault
from runyard.model.settings import Machine, Setting

PREFIX = "RUNYARD_"
FILE_VARIABLE = "RUNYARD_CONFIG"  #: names the TOML file
FILE_NAME = "config.toml"  #: in the state folder, read when FILE_VARIABLE is not set
INSIDE_PREFIX = "RUNYARD_INSIDE_"  #: what Runyard tells the tasks it starts; never a setting
HIDDEN = "(hidden)"
SHOWN_MAX = 80  #: characters of a wrong value that an error shows


def as_path(text: str) -> Path:
    """The reader of a setting that is a path; a `~` in it is the home folder.

    Raises ValueError.
    """
    return Path(read.folder(text))


@dataclass(slots=True)
class _Given:
    """Texts found, by setting, with their source; the place of those in a file; faults so far."""

    settings: Mapping[str, Setting]
    environ: Mapping[str, str]
    machine: Machine
    texts: dict[str, tuple[str, str]] = field(default_factory=dict)
    places: dict[str, tuple[str, int]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


def found(
    settings: Mapping[str, Setting], environ: Mapping[str, str], machine: Machine
) -> tuple[dict[str, Any], Mapping[str, str]]:
    """The value of every setting, and the source of each that is not its default.

    Raises ConfigError with every fault found.
    """
    given = _Given(settings, environ, machine)
    _take_environment(given)
    path = _file_path(given)
    if path is not None:
        _take_file(path, given)
    values: dict[str, Any] = {}
    for one, setting in settings.items():
        text, _ = given.texts.get(one) or (_default(setting, given), "default")
        try:
            values[one] = setting.read(_expanded(text, setting, given))
        except ValueError as error:
            given.faults.append(_fault(one, text, str(error), given))
    if given.faults:
        some = f"{len(given.faults)} settings are" if len(given.faults) > 1 else "a setting is"
        raise ConfigError(
            f"{some} wrong",
            hint="docs/reference/config.md tells every setting",
            faults=tuple(given.faults),
        )
    sources = {one: source for one, (_, source) in given.texts.items()}
    return values, MappingProxyType(sources)


def _take_environment(given: _Given) -> None:
    for variable in sorted(given.environ):
        if not variable.startswith(PREFIX) or variable.startswith(INSIDE_PREFIX):
            continue
        one = variable.removeprefix(PREFIX).lower()
        if one in given.settings and variable.isupper():
            given.texts[one] = (given.environ[variable], "environment")
        elif variable != FILE_VARIABLE:
            known = [PREFIX + each.upper() for each in given.settings] + [FILE_VARIABLE]
            given.faults.append(_unknown(variable, known))


def _file_path(given: _Given) -> Path | None:
    if named := given.environ.get(FILE_VARIABLE, ""):
        return Path(read.with_home(named, given.environ, given.machine))
    setting = given.settings["state_folder"]
    text, _ = given.texts.get("state_folder") or (_default(setting, given), "")
    path = Path(read.with_home(text, given.environ, given.machine)) / FILE_NAME
    try:
        return path if path.is_file() else None
    except (OSError, ValueError):  # not a path, or not ours to look at: told when it is read
        return None


def _take_file(path: Path, given: _Given) -> None:
    try:
        content = path.read_text()
        document = tomllib.loads(content)
        open_to_others = bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))
    except (OSError, ValueError) as error:
        words = error.strerror if isinstance(error, OSError) else str(error)
        given.faults.append(Fault(str(path), "", f"a TOML file that can be read: {words}"))
        return
    found_in_state_folder = not given.environ.get(FILE_VARIABLE)
    for one, value in document.items():
        place = (str(path), read.line_of(one, content))
        text, setting = read.toml_text(value), given.settings.get(one)
        if setting is None:
            given.faults.append(_unknown(one, list(given.settings), place))
        elif text is None:
            given.faults.append(_misplaced(one, "a text, a number, or a list of texts", place))
        elif one == "state_folder" and found_in_state_folder:
            expected = "to be set elsewhere, since this file was found in the state folder"
            given.faults.append(_misplaced(one, expected, place))
        elif setting.secret and open_to_others:
            expected = "a file that only its owner can read, since it holds a secret"
            given.faults.append(_misplaced(one, expected, place, hint=f"chmod 600 {path}"))
        elif one not in given.texts:
            given.texts[one] = (text, f"file {path}")
            given.places[one] = place


def _default(setting: Setting, given: _Given) -> str:
    if isinstance(setting.default, str):
        return setting.default
    return setting.default(given.environ, given.machine)


def _expanded(text: str, setting: Setting, given: _Given) -> str:
    if setting.read is not as_path:
        return text
    return read.with_home(text, given.environ, given.machine)


def _fault(one: str, text: str, expected: str, given: _Given) -> Fault:
    file, line = given.places.get(one, ("", 0))
    from_environment = given.texts.get(one, ("", ""))[1] == "environment"
    shown = repr(text if len(text) <= SHOWN_MAX else text[:SHOWN_MAX] + "...")
    return Fault(
        path=PREFIX + one.upper() if from_environment else one,
        value=HIDDEN if given.settings[one].secret else shown,
        expected=expected,
        file=file,
        line=line,
        column=1 if line else 0,
    )


def _misplaced(one: str, expected: str, place: tuple[str, int], hint: str = "") -> Fault:
    file, line = place
    return Fault(one, "", expected, hint, file, line, 1 if line else 0)


def _unknown(given_name: str, known: list[str], place: tuple[str, int] = ("", 0)) -> Fault:
    by_lower = {each.lower(): each for each in known}
    near = difflib.get_close_matches(given_name.lower(), by_lower, n=1)
    hint = (
        f"did you mean {by_lower[near[0]]}?" if near else "docs/reference/config.md lists them all"
    )
    return _misplaced(given_name, "the name of a setting", place, hint)
