"""Dead letters, replays and debug bundles over HTTP and on the command line."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from runyard.cli.letter_parameters import complete_groups, complete_letters
from runyard.cli.session import SESSION, Session
from runyard.gate.replaying import AdvanceReplays
from runyard.model.errors import ProviderUnavailable
from runyard.model.event import Ended
from runyard.model.outcome import Ending
from tests.support.api_server import Api, serving
from tests.support.command_line import CommandLine
from tests.support.runs import make_outcome

KEPT = timedelta(days=90)
HELD = """
project: shop
jobs:
  held:
    recovery: {application: {wait: 1h}}
    template: {template: {containers: [{image: example.com/held, command: ["true"]}]}}
"""


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    """A server with jobs, which keeps letters for 90 days."""
    with serving(tmp_path, letter_retention=KEPT) as started:
        started.apply()
        yield started


@pytest.fixture
def command(api: Api, tmp_path: Path) -> CommandLine:
    """A command line that talks to it."""
    return CommandLine(tmp_path, {"RUNYARD_URL": api.url, "RUNYARD_TOKEN": api.token})


def end(api: Api, run: str, ending: Ending = Ending.FAILED) -> None:
    """A run's attempt ends."""
    api.tell(run, Ended(1, make_outcome(ending)))


def die(api: Api, job: str = "alone", **more: Any) -> str:
    """A run that is dead."""
    run = api.run(job, **more)
    end(api, run)
    return run


def advance(api: Api) -> None:
    """What the engine would do, an hour later."""
    gate, later = api.behind.services.gate, api.behind.clock() + timedelta(hours=1)
    command = AdvanceReplays(later, api.behind.new_run_id)
    api.call(lambda: gate.ask(command))


def letters(api: Api, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get(f"/dead-letters{query}")["letters"]
    return found


def raw(api: Api, path: str) -> tuple[int, str, bytes]:
    """The status, the type and the content of an answer."""
    parts = urlsplit(api.url)
    connection = HTTPConnection(parts.hostname or "", parts.port)
    try:
        headers = {"Authorization": f"Bearer {api.token}"}
        connection.request("GET", f"/api/v1{path}", headers=headers)
        reply = connection.getresponse()
        return reply.status, reply.headers["content-type"], reply.read()
    finally:
        connection.close()


def test_letters_are_listed_a_page_at_a_time_and_say_when_they_leave(api: Api) -> None:
    dead = [die(api) for _ in range(3)]
    first = api.get("/dead-letters?page_size=2")
    assert (first["count"], [one["run"] for one in first["letters"]]) == (3, dead[:0:-1])
    rest = api.get(f"/dead-letters?page_size=2&page_token={first['next_page_token']}")
    assert [one["run"] for one in rest["letters"]] == dead[:1]
    assert rest["next_page_token"] == ""
    [one] = letters(api, f"?job=alone&environment=local&until={first['letters'][1]['died_at']}")
    assert one["leaves_at"][:10] > one["died_at"][:10]
    assert (one["failure_class"], one["title"]) == (
        "application",
        "ended with exit code <number>",
    )
    assert letters(api, "?failure_class=network") == []
    assert api.ask("GET", "/dead-letters?state=gone").status == 400
    assert api.ask("GET", "/dead-letters?failure_class=gone").status == 400
    [group] = api.get("/dead-letter-groups")["groups"]
    assert (group["count"], group["open"], group["example"]) == (3, 3, dead[2])
    assert len(letters(api, f"?group={group['group']}")) == 3
    status, kind, content = raw(api, "/dead-letters:export?state=every")
    assert (status, kind) == (200, "application/x-ndjson")
    assert [json.loads(line)["run"] for line in content.splitlines()] == dead[::-1]


def test_one_is_replayed_and_settled_by_its_new_run(api: Api) -> None:
    dead = die(api, overrides={"env": {"A": "1"}})
    body = {"overrides": {"env": {"B": "2"}, "timeout": "9s"}, "memory": "1Gi"}
    run = api.post(f"/dead-letters/{dead}:replay", body, 201)
    assert (run["replays"], run["overrides"]["env"]) == (dead, {"A": "1", "B": "2"})
    assert run["scaled"]["memory_bytes"] == 2**30
    assert "in the place of" in api.get(f"/runs/{run['id']}/explanation")["sentences"][1]
    assert api.get(f"/dead-letters/{dead}")["state"] == "replaying"
    refused = api.ask("POST", f"/dead-letters/{dead}:replay", {})
    assert (refused.status, refused.error["message"].startswith("the dead letter")) == (412, True)
    end(api, run["id"], Ending.SUCCEEDED)
    one = api.get(f"/dead-letters/{dead}")
    assert (one["state"], one["leaves_at"], one["replayed_by"]) == ("replayed", None, run["id"])
    too_much = api.ask("POST", f"/dead-letters/{dead}:replay", {"memory": "33Gi"})
    assert too_much.status == 400
    assert api.ask("GET", "/dead-letters/nobody").status == 404
    assert api.ask("GET", f"/dead-letters/{run['id']}").status == 404


def test_many_are_replayed_the_first_verified_before_the_others(api: Api) -> None:
    dead = [die(api) for _ in range(3)]
    asked = {"which": {"job": "alone"}, "verify_first": True, "per_minute": 6000}
    assert api.post("/dead-letters:replay", asked | {"preview": True})["letters"] == dead
    begun = api.post("/dead-letters:replay", asked, 202)
    replay = begun["replay"]
    assert (replay["state"], replay["total"], replay["what"]) == ("verifying", 3, "job alone")
    advance(api)
    [first] = [one for one in letters(api) if one["state"] == "replaying"]
    assert first["run"] == dead[0]
    end(api, first["replayed_by"], Ending.SUCCEEDED)
    advance(api)
    assert api.get(f"/replays/{replay['id']}")["asked"] == 2
    done = api.post(f"/replays/{replay['id']}:cancel", {"reason": "enough"})
    assert (done["state"], done["reason"]) == ("cancelled", "cancelled by admin: enough")
    assert [one["state"] for one in letters(api)] == ["open", "replaying"]
    assert api.ask("POST", f"/replays/{replay['id']}:cancel", {}).status == 412
    assert api.ask("GET", "/replays/rp_none").status == 404
    another = api.post("/dead-letters:replay", {"which": {"letters": [dead[2]]}}, 202)
    page = api.get("/replays?page_size=1&environment=local")
    assert [one["id"] for one in page["replays"]] == [another["replay"]["id"]]
    rest = api.get(f"/replays?environment=local&page_token={page['next_page_token']}")
    assert [one["id"] for one in rest["replays"]] == [replay["id"]]
    assert api.ask("POST", "/dead-letters:replay", asked).status == 412


def test_it_has_to_be_said_which_are_meant(api: Api) -> None:
    die(api)
    for path, more in (
        ("replay", {}),
        ("discard", {"reason": "x"}),
        ("publish", {"topic": "broken"}),
    ):
        refused = api.ask("POST", f"/dead-letters:{path}", {"which": {"project": "shop"}} | more)
        assert refused.status == 400
        assert "not said which" in refused.error["message"]
    named = {"letters": [letters(api)[0]["run"]], "failure_class": "network"}
    body = {"which": named, "reason": "x"}
    assert api.post("/dead-letters:discard", body) == {"discarded": []}


def test_letters_are_discarded_and_published(api: Api) -> None:
    dead = [die(api) for _ in range(3)]
    one = api.post(f"/dead-letters/{dead[0]}:discard", {"reason": "known"})
    assert (one["state"], one["notes"][-1]["why"]) == ("discarded", "known")
    assert api.ask("POST", f"/dead-letters/{dead[0]}:discard", {"reason": ""}).status == 400
    assert api.ask("POST", "/dead-letters:publish", _to("broken")).status == 404
    api.post("/topics", {"name": "broken"})
    api.post("/subscriptions", {"name": "all", "topic": "broken"})
    told = api.post("/dead-letters:publish", _to("broken"))
    assert set(told["published"]) == set(dead[1:])
    assert api.post("/dead-letters:publish", _to("broken"))["before"] == dead[1:]
    again = api.post("/dead-letters:publish", _to("broken") | {"again": True})
    assert len(again["published"]) == 2
    assert len(api.get(f"/dead-letters/{dead[1]}")["published"]) == 2
    body = {"which": {"every": True}, "reason": "all"}
    assert sorted(api.post("/dead-letters:discard", body)["discarded"]) == dead[1:]
    assert letters(api) == []
    actions = {one["action"] for one in api.get("/audit")["entries"]}
    assert actions >= {"dead_letter.discard", "dead_letter.publish"}


def _to(topic: str) -> dict[str, Any]:
    return {"which": {"job": "alone"}, "topic": topic}


def test_a_bundle_is_of_a_run_that_has_ended(api: Api) -> None:
    fine = api.run("alone")
    assert api.ask("GET", f"/runs/{fine}/bundle").status == 412
    end(api, fine, Ending.SUCCEEDED)
    dead = die(api, overrides={"env": {"A": "hunter2"}})
    api.behind.viewer.write(f"{dead}/1", "hello", "password=hunter2")
    status, kind, content = raw(api, f"/runs/{dead}/bundle")
    assert (status, kind) == (200, "application/zip")
    archive = zipfile.ZipFile(io.BytesIO(content))
    files = {name.removeprefix(f"{dead}/"): archive.read(name) for name in archive.namelist()}
    assert {"README.md", "run.json", "dead_letter.json", "spec.json"} <= files.keys()
    assert b"hunter2" not in b"".join(files.values())
    assert json.loads(files["timings.json"])["last_success"]["id"] == fine
    assert raw(api, f"/runs/{dead}/bundle")[2] == content
    assert api.ask("GET", "/runs/nobody/bundle").status == 404
    skipped = _zip(api, fine)
    assert "dead_letter.json" not in skipped
    assert json.loads(skipped["timings.json"])["last_success"] is None


@pytest.mark.parametrize(
    ("unsearched", "fails", "words"),
    [
        (("shop-prod: no role, password=hunter2",), None, "shop-prod: no role, "),
        ((), ProviderUnavailable("the cloud does not answer"), "the cloud does not answer"),
    ],
)
def test_a_bundle_is_made_without_the_logs_that_cannot_be_read(
    api: Api, unsearched: tuple[str, ...], fails: ProviderUnavailable | None, words: str
) -> None:
    dead = die(api)
    api.behind.viewer.unsearched, api.behind.viewer.fails = unsearched, fails
    try:
        files = _zip(api, dead)
    finally:
        api.behind.viewer.unsearched, api.behind.viewer.fails = (), None
    said = f"not all of its log could be read: {words}"
    assert said in files["logs/attempt-1.log"].decode()
    assert f"- attempt 1: {said}" in files["README.md"].decode()
    assert b"hunter2" not in b"".join(files.values())


def _zip(api: Api, run: str) -> dict[str, bytes]:
    archive = zipfile.ZipFile(io.BytesIO(raw(api, f"/runs/{run}/bundle")[2]))
    return {name.removeprefix(f"{run}/"): archive.read(name) for name in archive.namelist()}


def test_the_command_line_shows_letters(api: Api, command: CommandLine) -> None:
    assert len(command("dead-letters").out.splitlines()) == 1
    assert len(command("dead-letters", "groups").out.splitlines()) == 1
    assert len(command("dead-letters", "replays").out.splitlines()) == 1
    assert "no dead letter is in the queue" in command("dead-letters", "show", "@last").err
    dead = [die(api) for _ in range(2)]
    listed = command("dead-letters", "--limit", "1")
    assert dead[1] in listed.out
    assert "there are 2" in listed.err
    assert command("dead-letters", "list", "--limit", "0").status == 64
    assert "ended with exit code <number>" in command("dead-letters", "groups").out
    assert command("dead-letters", "groups", "--json").document()["groups"][0]["count"] == 2
    assert command("dead-letters", "list", "--json").document()["count"] == 2
    shown = command("dead-letters", "show", dead[0])
    assert "application (by no other rule)" in shown.out
    assert command("dead-letters", "show", "@last", "--json").document()["run"] == dead[1]
    lines = command("dead-letters", "export", "--job", "alone").lines()
    assert [one["run"] for one in lines] == dead[::-1]


def test_the_command_line_replays(api: Api, command: CommandLine) -> None:
    dead = [die(api) for _ in range(12)]
    done = command("dead-letters", "replay", "@last", "--env", "A=1", "--memory", "1Gi")
    assert done.out.startswith("run_")
    end(api, done.out.strip(), Ending.SUCCEEDED)
    first = command("dead-letters", "replay", dead[0], "--as-it-was", "--json").document()
    assert first["replays"] == dead[0]
    end(api, first["id"], Ending.SUCCEEDED)
    assert "RUN" in command("dead-letters", "show", dead[0]).out
    preview = command("dead-letters", "replay", "--job", "alone", "--dry-run")
    assert preview.out.endswith("10 letters would be replayed\n")
    two = command("dead-letters", "replay", dead[1], dead[2], "--json").document()
    assert two["letters"] == dead[1:3]
    begun = command("dead-letters", "fixed", "alone")
    assert "8 letters are replayed by rp_" in begun.out
    assert command("dead-letters", "fixed", "alone").out == "alone has no open dead letter\n"
    assert command("dead-letters", "fixed", "nobody").status == 66
    listed = command("dead-letters", "replays", "--json").document()["replays"]
    assert [one["what"] for one in listed] == ["fixed: job alone", "letters 2"]
    assert "fixed: job alone" in command("dead-letters", "replays").out
    gone = command("dead-letters", "cancel", listed[0]["id"], "--reason", "no")
    assert gone.out == f"{listed[0]['id']} is cancelled: 0 of 8 asked for\n"
    document = command("dead-letters", "cancel", listed[1]["id"], "--json").document()
    assert document["state"] == "cancelled"
    assert "not said which" in command("dead-letters", "replay").err


def test_who_says_that_a_job_is_fixed_has_its_held_runs_go_on(
    api: Api, command: CommandLine
) -> None:
    api.apply(HELD)
    held = [die(api, "held") for _ in range(2)]
    assert {api.get(f"/runs/{run}")["state"] for run in held} == {"awaiting_fix"}
    of_a_group = api.post("/dead-letters:fixed", {"job": "held", "group": "0" * 16})
    assert of_a_group == {"replay": None, "letters": [], "resumed": []}
    done = command("dead-letters", "fixed", "held")
    assert done.out == f"{held[0]}, {held[1]} went on\nheld has no open dead letter\n"
    assert {api.get(f"/runs/{run}")["attempt"] for run in held} <= {1, 2}
    assert "awaiting_fix" not in {api.get(f"/runs/{run}")["state"] for run in held}
    assert api.post("/dead-letters:fixed", {"job": "held"})["resumed"] == []


def test_letters_and_groups_are_completed(
    api: Api, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    dead = die(api)
    monkeypatch.setenv("RUNYARD_URL", api.url)
    monkeypatch.setenv("RUNYARD_TOKEN", api.token)
    SESSION.set(Session())
    [last, one] = complete_letters(None)
    assert (last[0], one[0]) == ("@last", dead)
    [group] = complete_groups(None)
    assert group == (letters(api)[0]["group"], "alone: ended with exit code <number>")
    monkeypatch.setenv("RUNYARD_TOKEN", "wrong")
    assert complete_letters(None) == complete_groups(None) == []
    SESSION.get().closing.close()


def test_the_command_line_discards_and_publishes(api: Api, command: CommandLine) -> None:
    dead = [die(api) for _ in range(4)]
    assert command("dead-letters", "discard", "@last", "--reason", "x").out == (
        "1 letter discarded\n"
    )
    some = command("dead-letters", "discard", dead[0], dead[1], "--reason", "x", "--json")
    assert sorted(some.document()["discarded"]) == dead[:2]
    command("topics", "create", "broken")
    told = command("dead-letters", "publish", "broken", "--all")
    assert told.out == "1 letter published to broken\n"
    again = command("dead-letters", "publish", "broken", dead[2])
    assert again.out == "0 letters published to broken; 1 had been before\n"
    document = command("dead-letters", "publish", "broken", "--all", "--again", "--json").document()
    assert set(document["published"]) == {dead[2]}


def test_the_command_line_writes_bundles(
    api: Api, command: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    dead = die(api)
    assert command("runs", "bundle", "@last").out == f"{dead}.zip\n"
    assert zipfile.is_zipfile(tmp_path / f"{dead}.zip")
    assert "there is such a file already" in command("runs", "bundle", dead).err
    file = tmp_path / "x.zip"
    document = command("runs", "bundle", dead, "-o", str(file), "--json").document()
    assert (document["run"], document["bytes"]) == (dead, file.stat().st_size)
    assert command("runs", "bundle", dead, "-o", str(file), "--force").status == 0
    nowhere = command("runs", "bundle", dead, "-o", str(tmp_path / "no" / "x.zip"))
    assert "cannot be written" in nowhere.err
    running = api.run("alone")
    assert "a bundle is of a run that has ended" in command("runs", "bundle", running).err
