"""What `doctor` says of Google."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from types import SimpleNamespace
from typing import Any

import pytest
from google.auth.exceptions import DefaultCredentialsError

from runyard.cli.checks_google import check


def missing(name: str) -> str:
    raise PackageNotFoundError(name)


def installed(name: str) -> str:
    return "0.16.2"


def auth(*credentials: str) -> Any:
    """A stand-in for google.auth with such credentials, or none."""

    def default() -> tuple[str, str]:
        if not credentials:
            raise DefaultCredentialsError("none")
        return credentials[0], "shop"

    exceptions = SimpleNamespace(DefaultCredentialsError=DefaultCredentialsError)
    return lambda name: SimpleNamespace(default=default, exceptions=exceptions)


@pytest.mark.parametrize(
    ("endpoint", "how", "found", "advice"),
    [
        ("", (missing, auth()), "google-cloud-run is not installed", "runyard[google]"),
        ("", (installed, auth()), "google-cloud-run 0.16.2, no credentials", "gcloud auth"),
        ("", (installed, auth("x")), "google-cloud-run 0.16.2, with credentials", ""),
        (
            "http://127.0.0.1:8080",
            (installed, auth()),
            "google-cloud-run 0.16.2, asked at http://127.0.0.1:8080 without credentials",
            "",
        ),
    ],
)
def test_what_is_there_is_told(endpoint: str, how: Any, found: str, advice: str) -> None:
    told = check(endpoint, *how)
    assert (told.result, told.found) == ("ok", found)
    assert advice in told.advice
