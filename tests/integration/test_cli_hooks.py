"""`runyard hooks` against a real API."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.test_api_hooks import HOOK, MANIFEST, SECRET, push
from tests.support.api_server import TOKEN, Api, serving
from tests.support.command_line import CommandLine


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with serving(tmp_path) as started:
        secret = {"name": "hook", "value_base64": base64.b64encode(SECRET).decode()}
        started.post("/secrets", secret)
        started.apply(MANIFEST)
        yield started


@pytest.fixture
def runyard(api: Api, tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path / "state", {"RUNYARD_URL": api.url, "RUNYARD_TOKEN": TOKEN})


def test_hooks_and_deliveries_on_the_command_line(runyard: CommandLine, api: Api) -> None:
    def said(*words: str, status: int = 0) -> str:
        done = runyard("hooks", *words)
        assert done.status == status, done.err
        return done.out if status == 0 else done.err

    listed = said()
    assert said("list") == listed
    assert f"{HOOK}  github  hook     enabled  {api.url}/hooks/{HOOK}" in listed
    for name in (HOOK, "push", "report/push"):
        shown = said("show", name)
        assert f"{api.url}/hooks/{HOOK}" in shown
        assert "headers.x-github-event != issues" in shown
        assert "<body.pusher.name, else 'nobody'>" in shown
    assert json.loads(said("show", "push", "--json")) == api.get(f"/hooks/{HOOK}")
    assert "there is no webhook no" in said("show", "no", status=66)
    assert "report are several webhooks" in said("show", "report", status=65)

    first = push(api, {"ref": "a"}, X_GitHub_Delivery="1").document
    left = push(api, {"ref": "a"}, X_GitHub_Event="issues").document
    table = said("deliveries")
    assert first["delivery"] in table
    assert first["runs"][0]["id"] in table
    assert "the filter leaves it out" in table
    assert first["delivery"] not in said("deliveries", "push", "--fate", "filtered")
    found = json.loads(said("deliveries", "--limit", "1", "--json"))
    assert [one["id"] for one in found["deliveries"]] == [left["delivery"]]

    shown = said("delivery", first["delivery"])
    assert "header x-github-event" in shown
    assert "1 times" in shown
    assert said("delivery", first["delivery"], "--content") == '{"ref": "a"}\n'
    sent = json.loads(said("delivery", first["delivery"], "--content", "--json"))
    assert base64.b64decode(sent["content_base64"]) == b'{"ref": "a"}'
    assert json.loads(said("delivery", first["delivery"], "--json"))["key"] == "1"
    again = said("redeliver", first["delivery"])
    assert " accepted: run_" in again
    shown = " ".join(said("delivery", again.split()[0]).split())
    assert f"redelivers: {first['delivery']}, by admin" in shown
    assert " accepted: run_" in said("redeliver", first["delivery"], "--as-it-was")
    nothing = said("redeliver", left["delivery"])
    assert "filtered: the filter leaves it out" in nothing
    assert json.loads(said("redeliver", left["delivery"], "--json"))["fate"] == "filtered"
    assert "there is no delivery" in said("delivery", "dlv_x", status=66)
