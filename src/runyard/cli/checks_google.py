"""Whether environments can be at Google: the extra of the installation, and credentials."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any
from urllib.parse import urlsplit

from runyard.cli.check import Check

_NAME = "Google Cloud"
_LIBRARY = "google-cloud-run"
_HERE = frozenset({"127.0.0.1", "localhost", "::1"})
_LOG_IN = "environments at Google need some: `gcloud auth application-default login`"


def check(
    endpoint: str,
    installed: Callable[[str], str] = version,
    load: Callable[[str], Any] = import_module,
) -> Check:
    """What a server in this installation finds when it needs Google. It may take seconds: on a
    machine of Google's the credentials are asked for over the network."""
    try:
        library = f"{_LIBRARY} {installed(_LIBRARY)}"
    except PackageNotFoundError:
        advice = "environments at Google need it: pipx install 'runyard[google]'"
        return Check(_NAME, "ok", f"{_LIBRARY} is not installed", advice)
    if urlsplit(endpoint).hostname in _HERE:
        return Check(_NAME, "ok", f"{library}, asked at {endpoint} without credentials")
    auth = load("google.auth")
    try:
        auth.default()
    except auth.exceptions.DefaultCredentialsError:
        return Check(_NAME, "ok", f"{library}, no credentials", _LOG_IN)
    return Check(_NAME, "ok", f"{library}, with credentials")
