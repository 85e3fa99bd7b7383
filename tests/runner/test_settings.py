"""The environment: what it says, every fault of it at once, and the file `.env`."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from runyard_runner.declarations import SETTINGS
from runyard_runner.faults import SettingsError
from runyard_runner.model.limits import Limits
from runyard_runner.settings import Settings, read_settings
from runyard_runner.wiring import assemble
from tests.runner.site import NOWHERE


def read(**environment: str) -> Settings:
    return read_settings(environment, NOWHERE)


def faults(**environment: str) -> list[str]:
    with pytest.raises(SettingsError) as told:
        assemble(read(**environment))
    assert told.value.hint
    return [str(each) for each in told.value.faults]


def test_what_holds_when_nothing_is_said() -> None:
    settings = read()
    assert settings.limits == Limits()
    assert (settings["PORT"], settings.address, settings.endpoints) == (5000, "127.0.0.1", [])
    assert not settings.production
    assert read(PORT=" ", REQUEST_TIMEOUT="").limits == Limits()


@pytest.mark.parametrize(
    ("environment", "address"),
    [
        ({}, "127.0.0.1"),
        ({"API_KEY": "k"}, "0.0.0.0"),
        ({"OIDC_AUDIENCE": "a", "OIDC_EMAILS": "b"}, "0.0.0.0"),
        ({"ALLOW_UNAUTHENTICATED": "yes"}, "0.0.0.0"),
        ({"K_SERVICE": "runner"}, "0.0.0.0"),
        ({"HOST": "::1", "API_KEY": "k"}, "::1"),
    ],
)
def test_where_it_listens(environment: dict[str, str], address: str) -> None:
    assert read(**environment).address == address


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("PORT", "http", '"http" is not a whole number from 0 to 65535'),
        ("PORT", "99999", "a whole number"),
        ("PORT", "²", "a whole number"),
        ("REQUEST_TIMEOUT", "soon", "a number of seconds from 0.01 to 1800"),
        ("REQUEST_TIMEOUT", "0", "a number of seconds"),
        ("EXAMPLE_TASKS", "maybe", "true or false"),
        ("ALLOWED_HOSTS", "https://x.example", "hosts like api.example.com"),
        ("OIDC_KEYS_URL", "ftp://x", "a URL that begins with"),
        ("LOG_LEVEL", "loud", "one of DEBUG, INFO, WARNING, ERROR"),
        ("CA_FILE", "/nonexistent.pem", "a file that is there"),
        ("ENDPOINTS", "{}", "a JSON list"),
        ("ENDPOINTS", '["http://x.example/",\n "x', "at line 2, column"),
        ("ENDPOINTS", '["ftp://x.example/"]', "ENDPOINTS[0].url"),
        ("ENDPOINTS", '[{"url": "http://x.example/", "json": "${NOPE}"}]', "set NOPE"),
        ("ENDPOINTS", '["http://${NOPE}/"]', 'ENDPOINTS[0]: "${NOPE}"'),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector", "a URL"),
    ],
)
def test_faults_name_their_variable(name: str, value: str, words: str) -> None:
    told = faults(**{name: value})
    assert told[0].startswith(name)
    assert words in told[0]


def test_every_fault_at_once_and_no_secret_in_it() -> None:
    told = faults(PORT="x", SMTP_PORT="y", LOG_LEVEL="z", ENDPOINTS='["hunter2-secret" "')
    assert len(told) == 4
    assert "hunter2" not in str(told)


def test_lists_and_urls() -> None:
    settings = read(
        ALLOWED_HOSTS="A.example, *.b.example,,",
        EMAIL_TO="a@x.org,b@x.org",
        OTEL_EXPORTER_OTLP_ENDPOINT=" ",
        LOG_LEVEL="debug",
    )
    assert settings["ALLOWED_HOSTS"] == ("a.example", "*.b.example")
    assert settings["EMAIL_TO"] == ("a@x.org", "b@x.org")
    assert settings["LOG_LEVEL"] == "DEBUG"
    assert settings["OTEL_EXPORTER_OTLP_ENDPOINT"] == ""


def test_the_file_is_for_development(tmp_path: Path) -> None:
    endpoints = ["http://x.example/${NAME}"]
    (tmp_path / ".env").write_text(
        "PORT=1234\nAPI_KEY='from the file'\nNAME\n"
        f"ENDPOINTS='{orjson.dumps(endpoints).decode()}'\n"
    )
    settings = read_settings({"PORT": "99"}, tmp_path, given={"HOST": "::1"})
    assert (settings["PORT"], settings["API_KEY"]) == (99, "from the file")
    assert (settings.endpoints, settings["HOST"]) == (endpoints, "::1")
    production = read_settings({"K_SERVICE": "runner"}, tmp_path)
    assert (production["PORT"], production["API_KEY"], production.production) == (5000, "", True)


def test_the_environment_is_the_process_s_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAILURE_STATUS", "503")
    assert read_settings(folder=NOWHERE)["FAILURE_STATUS"] == 503


def test_every_setting_has_a_meaning() -> None:
    assert [name for name, each in SETTINGS.items() if not each.meaning.endswith(".")] == []
