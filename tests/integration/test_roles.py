"""`runyard server` and `runyard engine` as processes of their own, met by the command line."""

from __future__ import annotations

import json
import re
import signal
import socket
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.support.command_line import CommandLine
from tests.support.postgresql import Server
from tests.support.real_server import eventually
from tests.support.several import Several, several

MANIFEST = """\
project: shop
jobs:
  hello:
    concurrency: {limit: 1}
    retry: {attempts: 3, backoff: {initial: 0.1s}}
    template:
      template:
        containers: [{image: hello, command: [/bin/sh, -c, "echo hello"]}]
  heard:
    triggers: [{event: {topic: orders}}]
    template:
      template:
        containers: [{image: hello, command: [/bin/sh, -c, "echo heard"]}]
  slow:
    template:
      template:
        containers: [{image: slow, command: [/bin/sh, -c, "until [ -e GO ]; do sleep 0.1; done"]}]
"""


def applied(them: Several) -> None:
    path = them.runyard.folder.parent / "runyard.yaml"
    path.write_text(MANIFEST.replace("GO", str(path.with_name("go"))))
    assert them.runyard.process("topics", "create", "orders").status == 0
    done = them.runyard.process("apply", str(path))
    assert done.status == 0, done.err


def hello(them: Several) -> None:
    done = them.runyard.process("run", "hello", "--wait")
    assert (done.status, done.out) == (0, "[0] hello\n"), done.err


def test_a_server_asks_an_engine_works_and_another_takes_its_place(postgresql: Server) -> None:
    """The safety poll is an hour: what is asked for in one process is done in another at once."""
    with several(postgresql, safety_poll_seconds="3600") as them:
        first = them.start("engine", "--health-port", "0")
        health = first.says()["status"].split()[-1]
        working = first.says()["status"].split()[0]
        server = them.start("server")
        assert server.says()["url"].startswith("http://127.0.0.1:")
        applied(them)
        hello(them)
        assert them.runyard.process("topics", "publish", "orders", "1").status == 0
        assert eventually(lambda: states(them, "heard") == ["succeeded"])
        second = them.start("engine")
        assert second.says()["status"] == f"standing by: {working} is at work"
        assert sorted(them.processes().values()) == [(False, True), (True, True), (True, True)]
        with urllib.request.urlopen(health, timeout=30) as answer:
            assert json.load(answer) == {"status": "working"}
        assert runs_finished(them, health) == {"hello": "1.0", "heard": "1.0"}
        first.send(signal.SIGKILL)
        assert second.says()["status"].endswith("is at work (ctrl-c stops it)")
        hello(them)
        assert (second.stop(), server.stop()) == (0, 0)


def runs_finished(them: Several, health: str) -> dict[str, str]:
    """What Prometheus sees of an engine: how many runs of each job it saw succeed."""
    token = (them.runyard.folder / "token").read_text().strip()
    url = health.replace("/ready", "/metrics")
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(url, timeout=30)
    asked = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(asked, timeout=30) as answer:
        text = answer.read().decode()
    line = re.compile(r'runyard_runs_finished_total{class="",job="(\w+)",.*state="succeeded"} (.*)')
    return dict(line.findall(text))


def test_an_engine_that_hangs_is_ended_and_its_tasks_go_on(postgresql: Server) -> None:
    with several(postgresql) as them:
        first, server = them.start("engine"), them.start("server")
        first.says(), server.says()
        applied(them)
        run = them.runyard.process("run", "slow", "--json").document()["runs"][0]["id"]
        second = them.start("engine")
        second.says()
        assert eventually(lambda: state(them, run) == "running")
        first.send(signal.SIGSTOP)
        hello_asked = them.runyard.process("run", "hello", "--json")
        assert hello_asked.status == 0
        assert second.says()["status"].endswith("is at work (ctrl-c stops it)")
        assert first.process.wait(30) == -signal.SIGKILL
        assert "is ended, and" in them.log
        (them.runyard.folder.parent / "go").touch()
        assert eventually(lambda: state(them, run) == "succeeded")
        shown = them.runyard.process("runs", "get", run, "--json").document()
        assert shown["attempt"] == 1, "its task went on, and was not begun again"
        hello(them)


def state(them: Several, run: str) -> str:
    found: str = them.runyard.process("runs", "get", run, "--json").document()["state"]
    return found


def states(them: Several, job: str) -> list[str]:
    runs = them.runyard.process("runs", "--job", job, "--json").document()["runs"]
    return [run["state"] for run in runs]


def test_a_second_server_is_found_when_the_first_goes(postgresql: Server) -> None:
    with several(postgresql) as them:
        first = them.start("server")
        first_url = first.says()["url"]
        second = them.start("server")
        second_url = second.says()["url"]

        def found() -> str:
            done = them.runyard.process("status", "--json")
            return str(done.document()["url"]) if done.status == 0 else ""

        assert found() == first_url
        assert first.stop() == 0
        assert eventually(lambda: found() == second_url)
        assert second.stop() == 0
        assert not (them.runyard.folder / "server.json").exists()


def test_up_and_an_engine_do_not_work_in_one_folder_at_once(postgresql: Server) -> None:
    with several(postgresql) as them:
        engine = them.start("engine")
        engine.says()
        refused = them.runyard.process("up", "-d")
        assert refused.status != 0
        assert "another process works in the state folder" in refused.err
        assert "`runyard server` adds a server beside it" in refused.err
        assert engine.stop() == 0
        assert them.runyard.process("up", "-d").status == 0
        standby = them.start("engine")
        assert standby.says()["status"].startswith("standing by: up-")
        assert standby.stop() == 0
        assert them.runyard.process("down").status == 0


@pytest.mark.parametrize("option", ["server --port", "engine --health-port"])
def test_a_port_that_cannot_be_had_is_named(tmp_path: Path, option: str) -> None:
    command = CommandLine(tmp_path, {"RUNYARD_DATABASE_URL": "postgresql://127.0.0.1:1/runs"})
    refused = command(*option.split(), "70000")
    assert (refused.status, refused.out) == (64, "")
    name = option.split()[1]
    assert f"{name}: 70000, expected 0 to 65535; 0 takes a free one" in refused.err
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        refused = command(*option.split(), str(port))
    assert refused.status == 69
    assert f"port {port} on 127.0.0.1 is in use by" in refused.err
    assert f"take another: `runyard {option} " in refused.err


@pytest.mark.parametrize("role", ["server", "engine"])
def test_they_need_a_database_that_they_can_share(tmp_path: Path, role: str) -> None:
    refused = CommandLine(tmp_path)(role)
    assert refused.status != 0
    assert "RUNYARD_DATABASE_URL names none" in refused.err
    assert "`runyard up`" in refused.err
