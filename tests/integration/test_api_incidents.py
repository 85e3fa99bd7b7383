"""Alerts, incidents and silences over HTTP and on the command line."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from runyard.database.port import Tx
from runyard.engine.alerts import AlertsLoop
from runyard.model.effect import Alert, Notify, Pending
from runyard.model.event import Ended
from runyard.model.outcome import Ending
from runyard.store.memory import Store
from tests.support.api_server import Api, serving
from tests.support.channels import KeptVoices
from tests.support.command_line import CommandLine
from tests.support.notifying import make_notifier
from tests.support.runs import make_outcome
from tests.unit.model.test_channels import TEXT

LOCAL = TEXT.replace("  prod:", "  local:")


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    """A server with jobs and channels."""
    with serving(tmp_path) as started:
        started.apply()
        started.post("/environments:apply", {"files": [{"name": "runyard.yaml", "text": LOCAL}]})
        yield started


@pytest.fixture
def command(api: Api, tmp_path: Path) -> CommandLine:
    """A command line that talks to it."""
    return CommandLine(tmp_path, {"RUNYARD_URL": api.url, "RUNYARD_TOKEN": api.token})


def die(api: Api, job: str = "alone") -> str:
    """A run that is dead, and everybody told of it."""
    run = api.run(job)
    api.tell(run, Ended(1, make_outcome(Ending.REFUSED)))
    told(api)
    return run


def told(api: Api) -> None:
    """What an engine would do."""
    services = api.behind.services

    async def work() -> None:
        rows = (services.gate, services.database, services.store)
        loop = AlertsLoop(*rows, ZoneInfo, services.measures)
        await loop.tick(api.behind.clock())
        voices = services.voices
        notifier = make_notifier(
            services.gate, services.database, services.store, api.behind.clock, None, voices
        )
        later = api.behind.clock() + timedelta(hours=1)  # past the claims of the gate
        for _ in range(5):
            later += timedelta(hours=1)
            claim = partial(_claim, services.store, later)
            effects = await services.database.write(claim)
            for one in effects:
                if isinstance(one.effect, Alert | Notify):
                    await notifier.carry(one, one.effect)

    api.call(work)


async def _claim(store: Store, at: datetime, tx: Tx) -> list[Pending]:
    return await store.outbox.claim(tx, "me", at, at, 100)


def incident(api: Api, **query: str) -> dict[str, Any]:
    """The only one."""
    text = "&".join(f"{name}={value}" for name, value in query.items())
    (found,) = api.get(f"/incidents?{text}")["incidents"]
    assert isinstance(found, dict)
    return found


def test_an_incident_is_seen_acknowledged_and_resolved(api: Api) -> None:
    run = die(api)
    (alert,) = api.get("/alerts?open=true")["alerts"]
    assert (alert["rule"], alert["state"], alert["run"]) == ("dead", "firing", run)
    one = incident(api, open="true")
    assert (one["state"], one["title"], one["severity"]) == ("open", "alone is dead", "error")
    assert alert["incident"] == one["id"]
    assert one["members"][0]["is_open"] is True
    path = f"/incidents/{one['id']}"
    done = api.post(f"{path}:acknowledge", {"note": "on it"})
    assert (done["state"], done["acknowledged_by"], done["assignee"]) == (
        "acknowledged", "admin", "admin",
    )  # fmt: skip
    assert api.post(f"{path}:assign", {"to": "admin"})["assignee"] == "admin"
    assert api.post(f"{path}:assign", {})["assignee"] == ""
    assert api.ask("POST", f"{path}:assign", {"to": "nobody"}).status == 404
    api.post(f"{path}:note", {"text": "the disk is full"})
    done = api.post(f"{path}:resolve", {"reason": "a new disk"})
    assert (done["state"], done["resolved_by"]) == ("resolved", "admin")
    assert api.ask("POST", f"{path}:acknowledge", None).status == 412
    api.post(f"{path}:note", {"text": "after it was over"})
    told(api)
    events = api.get(f"{path}/timeline")["events"]
    kinds = [event["kind"] for event in events if event["kind"] != "told"]
    assert kinds == [
        "joined", "acknowledged", "assigned", "assigned", "noted", "resolved", "noted",
    ]  # fmt: skip
    voices = api.behind.services.voices
    assert isinstance(voices, KeptVoices)
    assert [str(one.kind) for one in voices.by("mail")] == []
    assert api.get(path) == incident(api)
    assert api.get("/incidents?state=resolved&job=alone&page_size=1")["incidents"]


def test_pages_follow_each_other(api: Api) -> None:
    die(api)
    die(api, "report")
    for what, key in (("alerts", "alerts"), ("incidents", "incidents")):
        first = api.get(f"/{what}?page_size=1")
        token = first["next_page_token"]
        second = api.get(f"/{what}?page_size=1&page_token={token}")
        assert second["next_page_token"] == ""
        assert {one["job"] for page in (first, second) for one in page[key]} == {
            "alone", "report",
        }  # fmt: skip


def test_what_is_not_there_is_said(api: Api) -> None:
    for path in ("/incidents/inc_x", "/incidents/%00", "/incidents/inc_x/timeline"):
        assert api.ask("GET", path).status == 404
    assert api.ask("POST", "/silences/sil_x:end", {}).status == 404
    assert api.ask("POST", "/silences/%0A:end", {}).status == 404
    assert api.ask("POST", "/silences", {"lasting": "5"}).status == 400


def test_silences_on_the_command_line(command: CommandLine, api: Api) -> None:
    made = command("alerts", "silence", "--job", "alone", "--for", "2h", "--reason", "a move")
    assert made.status == 0, made.err
    name = made.out.partition(":")[0]
    assert "every rule of job alone until" in made.out
    assert name in command("alerts", "silences").out
    die(api)
    assert "silenced (silenced by admin: a move)" not in command("alerts").out
    assert "(silenced by admin: a move)" in command("alerts").out
    assert "ended" in command("alerts", "silence", "--end", name).out
    assert name not in command("alerts", "silences").out
    assert command("alerts", "silence", "--rule", "dead", "--json").document()["rule"] == "dead"


def test_incidents_on_the_command_line(command: CommandLine, api: Api) -> None:
    assert "inc_" not in command("incidents").out
    assert command("incidents", "show", "@last").status != 0
    run = die(api)
    assert "alone is dead" in command("incidents").out
    shown = command("incidents", "show", "@last")
    assert f"error: alone is dead ({run})" in shown.out
    assert "log of 1" in shown.out
    for words, said in (
        (("ack", "@last", "--note", "on it"), "is acknowledged, admin's"),
        (("assign", "@last"), "is acknowledged: alone"),
        (("note", "@last", "the disk"), "is acknowledged"),
        (("resolve", "@last", "--reason", "new disk"), "is resolved"),
    ):
        done = command("incidents", *words)
        assert said in done.out, done.err
    told(api)
    shown = command("incidents", "show", "@last")
    for text in ("admin: on it", "admin: to nobody", "admin: the disk", "admin: new disk"):
        assert text in shown.out
    assert "alone" not in command("incidents").out
    assert "resolved" in command("incidents", "--all").out
    whole = command("incidents", "show", "@last", "--json").document()
    assert whole["timeline"][0]["kind"] == "joined"
    assert command("incidents", "--json").document()["incidents"] == []
    assert command("alerts", "--all", "--json").document()["alerts"][0]["rule"] == "dead"
    assert "on-call" in command("alerts", "channels").out
    assert "chat (slack) took it in" in command("alerts", "test", "chat").out


WATCHED = """\
project: shop
jobs:
  dear:
    alerts:
      - {name: budget, cost: {over: 0.000001 USD, per: day}, severity: warning, for: 10m}
      - {metric: {name: runs, labels: {state: dead}, take: count, over: 0, within: 1h}}
      - {name: dead, dead: {}, enabled: false}
    template: {template: {containers: [{image: busybox}]}}
"""


def test_rules_are_explained_with_what_they_say_now(api: Api, command: CommandLine) -> None:
    api.apply(WATCHED)
    die(api, "dear")
    found = api.get("/jobs/dear/alert-rules")
    rules = {one["name"]: one for one in found["rules"]}
    assert list(rules) == ["failing", "stuck", "overdue", "budget", "metric"]
    assert [one["is_usual"] for one in rules.values()] == [True, True, True, False, False]
    assert (rules["budget"]["state"], rules["budget"]["for_seconds"]) == ("pending", 600)
    assert (rules["metric"]["state"], rules["failing"]["state"]) == ("firing", "")
    assert rules["metric"]["title"] == (
        "dear: count of runs (state=dead) is 1 within 1h, more than 0"
    )
    shown = command("alerts", "rules", "dear")
    assert shown.status == 0, shown.err
    assert "a day (UTC) costs more than 0.000001 USD" in shown.out
    assert "1 runs" not in shown.out
    assert command("alerts", "rules", "dear", "--json").document() == found
    assert command("alerts", "rules", "nothing").status == 66
