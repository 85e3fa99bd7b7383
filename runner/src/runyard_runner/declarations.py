"""Every setting: its variable, how it is read, its default, what it means. A new one is a line."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from runyard_runner.telemetry.journal import SEVERITIES

GOOGLE_KEYS_URL = "https://www.googleapis.com/oauth2/v3/certs"
GOOGLE_ISSUERS = ("https://accounts.google.com", "accounts.google.com")


class UnreadableSetting(ValueError):
    """A value that is not what was expected; says what was."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting: its default, how it is read, what it means, its unit."""

    default: Any
    read: Callable[[str], Any]
    meaning: str
    unit: str = ""
    secret: bool = False


def _text(value: str) -> str:
    return value.strip()


def _flag(value: str) -> bool:
    word = value.strip().lower()
    if word not in ("true", "false", "1", "0", "yes", "no"):
        raise UnreadableSetting("true or false")
    return word in ("true", "1", "yes")


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(value: str) -> int:
        text = value.strip()
        if not (text.isascii() and text.isdigit() and len(text) < 16 and low <= int(text) <= high):
            raise UnreadableSetting(f"a whole number from {low} to {high}")
        return int(text)

    return read


def _seconds(low: float, high: float) -> Callable[[str], float]:
    def read(value: str) -> float:
        text = value.strip()
        if not re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text) or not low <= float(text) <= high:
            raise UnreadableSetting(f"a number of seconds from {low:g} to {high:g}")
        return float(text)

    return read


def _words(value: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in value.split(",") if each.strip())


def _hosts(value: str) -> tuple[str, ...]:
    hosts = tuple(each.lower() for each in _words(value))
    for each in hosts:
        if re.fullmatch(r"(\*\.)?[a-z0-9:._-]+", each) is None:
            raise UnreadableSetting(
                "hosts like api.example.com or *.example.com, with commas between"
            )
    return hosts


def _url(value: str) -> str:
    if re.fullmatch(r"https?://[^\s/]+(/\S*)?", value.strip()) is None:
        raise UnreadableSetting("a URL that begins with http:// or https://")
    return value.strip()


def _one_of(*words: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value.strip().upper() not in words:
            raise UnreadableSetting(f"one of {', '.join(words)}")
        return value.strip().upper()

    return read


SETTINGS: dict[str, Setting] = {
    "PORT": Setting(
        5000,
        _whole(0, 65535),
        "Port to listen on; 0 takes a free one. Cloud Run sets it from `--port`.",
    ),
    "HOST": Setting(
        "",
        _text,
        "Address to listen on. Without a way to know callers it is 127.0.0.1, else 0.0.0.0.",
    ),
    "ENDPOINTS": Setting(
        "",
        _text,
        "What to call: a JSON list of URLs and of objects (see the fields of an endpoint).",
    ),
    "API_KEY": Setting("", _text, "Callers show it in X-API-Key.", secret=True),
    "OIDC_AUDIENCE": Setting(
        (),
        _words,
        "Callers show an ID token for this audience (the service's URL, with or "
        "without `/execute`); several with commas.",
    ),
    "OIDC_EMAILS": Setting(
        (),
        _words,
        "Accounts whose ID tokens are taken; needed with OIDC_AUDIENCE. `*` takes every account.",
    ),
    "OIDC_ISSUERS": Setting(GOOGLE_ISSUERS, _words, "Issuers whose ID tokens are taken."),
    "OIDC_KEYS_URL": Setting(
        GOOGLE_KEYS_URL, _url, "Where the keys are that ID tokens are signed with."
    ),
    "ALLOW_UNAUTHENTICATED": Setting(
        False,
        _flag,
        "Answer everybody, where neither API_KEY nor OIDC_AUDIENCE is set. Without it"
        " only this machine is answered.",
    ),
    "ALLOW_PRIVATE_NETWORKS": Setting(
        False,
        _flag,
        "Call private and loopback addresses too. Link-local and metadata addresses "
        "are never called.",
    ),
    "ALLOWED_HOSTS": Setting(
        (),
        _hosts,
        "Call only these hosts: names, or `*.example.com` for what is below one; "
        "several with commas.",
    ),
    "OIDC_TOKEN_HOSTS": Setting(
        (), _hosts, "Hosts that endpoints with `auth: oidc` may send an ID token to."
    ),
    "REQUEST_VARIABLES": Setting(
        (),
        _words,
        "Variables that the endpoints in a request may name (`${NAME}`, "
        "`auth.api_key.env`). Those in ENDPOINTS may name any.",
    ),
    "CA_FILE": Setting("", _text, "Certificates to trust besides the system's: a PEM file."),
    "REQUEST_TIMEOUT": Setting(
        30.0,
        _seconds(0.01, 1800),
        "How long one attempt at an endpoint may take, if it does not say.",
        "s",
    ),
    "TOTAL_DEADLINE_SECONDS": Setting(
        170.0,
        _seconds(0.01, 3600),
        "How long an execution may take; below Scheduler's attempt deadline (180 s) "
        "and Cloud Run's timeout.",
        "s",
    ),
    "GRACE_SECONDS": Setting(
        8.0,
        _seconds(0, 3600),
        "After SIGTERM executions may end for this long, then they are cut off and "
        "answered. Cloud Run kills after 10 s.",
        "s",
    ),
    "ENDPOINTS_MAX": Setting(1000, _whole(1, 100_000), "Endpoints in one call."),
    "WORKERS_MAX": Setting(1000, _whole(1, 10_000), "The largest `max_workers`."),
    "HOST_CONNECTIONS_MAX": Setting(
        1000, _whole(1, 10_000), "Calls to one host at a time, over all executions."
    ),
    "REQUEST_BYTES_MAX": Setting(1 << 20, _whole(1, 1 << 30), "Body of a request.", "bytes"),
    "RESPONSE_BYTES_MAX": Setting(
        1 << 20,
        _whole(1, 1 << 28),
        "Response of one endpoint; a larger one is an error of that endpoint.",
        "bytes",
    ),
    "ANSWER_BYTES_MAX": Setting(
        16 << 20,
        _whole(1, 1 << 30),
        "Responses in one answer; what comes after is left out and says so. Cloud Run"
        " sends at most 32 MiB.",
        "bytes",
    ),
    "FAILURE_STATUS": Setting(
        500,
        _whole(200, 599),
        "Status of the answer when an endpoint failed. Scheduler tries again unless it is 2xx.",
    ),
    "IDEMPOTENCY_SECONDS": Setting(
        3600.0, _seconds(0, 86_400), "How long a call that succeeded is remembered by its key.", "s"
    ),
    "EXAMPLE_TASKS": Setting(
        True, _flag, "Have the example tasks `/task1`, `/task2` and `/task3`."
    ),
    "SMTP_HOST": Setting("smtp.gmail.com", _text, "Mail server; it must offer STARTTLS."),
    "SMTP_PORT": Setting(587, _whole(1, 65535), "Its port."),
    "EMAIL_ADDRESS": Setting(
        "", _text, "User, sender and recipient of reports, where the following do not say another."
    ),
    "SMTP_USER": Setting("", _text, "User at the mail server.", ""),
    "SMTP_PASSWORD": Setting("", _text, "Password at the mail server.", secret=True),
    "EMAIL_FROM": Setting("", _text, "Sender of reports."),
    "EMAIL_TO": Setting((), _words, "Recipients of reports; several with commas."),
    "LOG_LEVEL": Setting(
        "INFO", _one_of(*SEVERITIES), f"What is logged: from {', '.join(SEVERITIES)} on."
    ),
    "OTEL_EXPORTER_OTLP_ENDPOINT": Setting(
        "",
        lambda value: _url(value) if value.strip() else "",
        "Send metrics and traces to this collector (OTLP over HTTP).",
    ),
    "OTEL_SERVICE_NAME": Setting("runyard-runner", _text, "What the collector calls this service."),
    "GCE_METADATA_HOST": Setting(
        "metadata.google.internal", _text, "Where outgoing ID tokens come from."
    ),
    "GOOGLE_CLOUD_PROJECT": Setting(
        "", _text, "Project, for the names of traces in Cloud Logging."
    ),
    "K_SERVICE": Setting(
        "", _text, "Set by Cloud Run. Then this is production and `.env` is not opened."
    ),
    "K_REVISION": Setting("", _text, "Set by Cloud Run; said by `/`."),
}
