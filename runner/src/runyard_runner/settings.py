"""Settings: the only reader of the environment. All faults are told at once, each by its variable.

In development (no `K_SERVICE`, which Cloud Run sets) a file `.env` in the working folder may hold
variables too; the environment's own win. In production that file is not opened.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import orjson

from runyard_runner.declarations import SETTINGS, Setting, UnreadableSetting
from runyard_runner.faults import Fault, SettingsError
from runyard_runner.model.fields import shown
from runyard_runner.model.limits import Limits


@dataclass(frozen=True)
class Settings:
    """What is in force. `variables` is the whole environment, for `${NAME}`."""

    values: Mapping[str, Any]
    variables: Mapping[str, str]

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    @property
    def production(self) -> bool:
        """Whether Cloud Run started this."""
        return bool(self["K_SERVICE"])

    @property
    def knows_callers(self) -> bool:
        """Whether there is a way to know who calls."""
        return bool(self["API_KEY"] or self["OIDC_AUDIENCE"])

    @property
    def address(self) -> str:
        """Where to listen. On Cloud Run always where it can be reached, so that it can say no."""
        open_ = self.knows_callers or self["ALLOW_UNAUTHENTICATED"] or self.production
        return str(self["HOST"] or ("0.0.0.0" if open_ else "127.0.0.1"))  # noqa: S104

    @property
    def limits(self) -> Limits:
        """The limits that hold for every call."""
        return Limits(
            endpoints_max=self["ENDPOINTS_MAX"],
            workers_max=self["WORKERS_MAX"],
            host_connections_max=self["HOST_CONNECTIONS_MAX"],
            request_bytes_max=self["REQUEST_BYTES_MAX"],
            response_bytes_max=self["RESPONSE_BYTES_MAX"],
            answer_bytes_max=self["ANSWER_BYTES_MAX"],
            timeout_seconds=self["REQUEST_TIMEOUT"],
            deadline_seconds=self["TOTAL_DEADLINE_SECONDS"],
        )

    @property
    def endpoints(self) -> list[Any]:
        """What ENDPOINTS holds, as JSON, with its variables not yet filled in."""
        text = self["ENDPOINTS"]
        return list(orjson.loads(text)) if text else []

    @property
    def secrets(self) -> list[str]:
        """The values that nobody may see, besides those that endpoints name."""
        named = [self.variables.get(name, "") for name in self["REQUEST_VARIABLES"]]
        return [str(self[name]) for name, each in SETTINGS.items() if each.secret] + named


def read_settings(
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    given: Mapping[str, str] | None = None,
) -> Settings:
    """The settings of `environment` (default: the process's own), but for what is `given`.

    Raises SettingsError.
    """
    variables = dict(os.environ if environment is None else environment) | dict(given or {})
    if not variables.get("K_SERVICE"):
        variables = _from_file((folder or Path()) / ".env") | variables
    faults: list[Fault] = []
    values = {name: _value(name, each, variables, faults) for name, each in SETTINGS.items()}
    _check_endpoints(values["ENDPOINTS"], faults)
    if values["CA_FILE"] and not Path(values["CA_FILE"]).is_file():
        faults.append(Fault("CA_FILE", values["CA_FILE"], "a file that is there"))
    if values["OIDC_AUDIENCE"] and not values["OIDC_EMAILS"]:
        # anybody with an account at Google can have a token made for any audience
        expected = "the accounts that may call (`*`: every account there is at Google)"
        faults.append(Fault("OIDC_EMAILS", "nothing", expected))
    if faults:
        raise faulty(faults)
    return Settings(values, variables)


def faulty(faults: list[Fault]) -> SettingsError:
    """The error that tells all the faults."""
    return SettingsError(
        f"The environment has {'1 fault' if len(faults) == 1 else f'{len(faults)} faults'}.",
        hint="Mend what is named; the reference of the settings says what each means.",
        faults=faults,
    )


def _value(name: str, setting: Setting, variables: Mapping[str, str], faults: list[Fault]) -> Any:
    text = variables.get(name)
    if text is None or (not text.strip() and setting.default != ""):
        return setting.default
    try:
        return setting.read(text)
    except UnreadableSetting as error:
        faults.append(Fault(name, shown(text), str(error)))
        return setting.default


def _check_endpoints(text: str, faults: list[Fault]) -> None:
    if not text:
        return
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        # the text may hold secrets: where it is wrong is told, and not what stands there
        where = f"line {error.lineno}, column {error.colno}"
        faults.append(Fault("ENDPOINTS", f"what stands at {where}", f"JSON: {error.msg}"))
        return
    if not isinstance(value, list):
        kind = type(value).__name__
        faults.append(Fault("ENDPOINTS", kind, "a JSON list of URLs and objects"))


def _from_file(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    values = import_module("dotenv").dotenv_values(path, interpolate=False)
    return {name: value for name, value in values.items() if value is not None}
