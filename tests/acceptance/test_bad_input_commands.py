"""Jobs whose commands do what no job should: each ends as what it is, and the server lives on.

The spawner is tested for each of these by itself; here it is what a person is told, that a task's
output reaches a terminal tamed, and that nothing of it stays behind or in the server's memory.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.yard import command_lines
from tests.support.real_server import RealServer, eventually, job, real_server, shell

MIB = 2**20
LOG_BYTES_MAX = 4 * MIB
DEEP = "mkdir -p $(printf 'd/%.0s' $(seq 1 800)); mkdir closed; : > closed/x; chmod 0 closed"
LIMITED = {"resources": {"limits": {"memory": "128Mi", "cpu": "1"}}}
TIMEOUT = "The configured timeout was reached."
#: job: (spec, words of what a person is told at the end of its run)
DYING: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "missing": (job("no-such-command"), ("cannot run 'no-such-command'", "not found in PATH")),
    "no-name": (job(""), ("cannot run ''",)),
    "not-executable": (job("/etc/passwd"), ("cannot run '/etc/passwd'", "Permission denied")),
    "a-folder": (job("/tmp"), ("cannot run '/tmp'", "Permission denied")),
    "too-long": (job("true", args=["x" * 131_072]), ("Argument list too long",)),
    "too-much": (job("true", args=["x" * 100_000] * 30), ("Argument list too long",)),
    "exits-255": (shell("exit 255"), ("exit code 255",)),
    "segfault": (shell("kill -SEGV $$"), ("signal 11",)),
    "closes": (shell("exec >&- 2>&-; exit 5"), ("exit code 5",)),
    "sleeps": (job("sleep", "600", timeout="1s"), (TIMEOUT,)),
}
FINE = {
    "odd-arguments": job("printf", r"%s|", args=["a\nb", "\U0001f600", "\u202e", "", "-n"]),
    "large-environment": job(
        "true", env=[{"name": f"_{n}", "value": "x" * 30_000} for n in range(30)]
    ),
    "tricks": shell(r"printf '\033[2J\033]0;title\007hello\n\302\2332J\n'"),
    "binary": shell("head -c 1000000 /dev/urandom"),
    "one-line": shell("head -c 50000000 /dev/zero | tr '\\0' x; echo; echo after"),
    "flood": shell("head -c 200000000 /dev/zero | tr '\\0' y | fold -w 500; echo over"),
    "many-files": shell(f"for n in $(seq 5000); do : > $n; done; {DEEP}; echo full"),
    "daemon": shell("setsid sh -c 'exec sleep 86413' > /dev/null 2>&1 & echo started"),
}


@pytest.fixture(scope="module")
def server() -> Iterator[RealServer]:
    # Several times the default request: one job here has three megabytes of arguments.
    limits = {"request_bytes_max": "16Mi", "log_bytes_max": str(LOG_BYTES_MAX)}
    with real_server(**limits) as made:
        jobs = FINE | {name: spec for name, (spec, _) in DYING.items()}
        assert made.apply(jobs).status == 200
        yield made


@pytest.mark.parametrize("name", DYING)
def test_a_command_that_fails_says_how(name: str, server: RealServer) -> None:
    done = server.run(name)
    assert done.status == 1, done
    for words in DYING[name][1]:
        assert words in done.err
    run = server.last_run(name)
    assert run["state"] == "dead"
    assert all(attempt["charge"] is not None for attempt in run["attempts"])


def test_a_script_without_its_interpreter_is_told_so(server: RealServer) -> None:
    script = server.folder.parent / "script"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    assert server.apply({"script": job(str(script))}).status == 200
    done = server.run("script")
    assert done.status == 1
    assert "it is there, but the interpreter that its first line names is not" in done.err


def test_out_of_memory_is_said(server: RealServer) -> None:
    script = "x = bytearray(400 * 2**20); print(len(x))"
    hungry = job("/usr/bin/env", "python3", "-c", script, **LIMITED)
    assert server.apply({"hungry": hungry}).status == 200
    abilities = server.ask("GET", "/status").document["abilities"]
    done = server.run("hungry")
    assert done.status == 1
    if abilities["memory_enforced_by"] == "cgroup":
        assert "Memory limit of 128 MiB exceeded" in done.err


def test_arguments_arrive_as_they_are(server: RealServer) -> None:
    assert server.run("odd-arguments").status == 0
    run = server.last_run("odd-arguments")
    page = server.ask("GET", f"/runs/{run['id']}/log").document["entries"]
    texts = [entry["text"] for entry in page if entry["stream"] == "stdout"]
    assert "\n".join(texts) == "a\nb|\U0001f600|\u202e||-n|"


@pytest.mark.parametrize("name", ["large-environment", "many-files", "daemon"])
def test_nothing_stays_behind(name: str, server: RealServer) -> None:
    done = server.run(name)
    assert done.status == 0, done.err
    assert not _processes("86413")
    where = (
        Path("/var/tmp")
        / Path(server.ask("GET", "/status").document["abilities"]["memory_files"]).name
    )
    assert eventually(lambda: not list(where.iterdir()))


def test_output_beyond_all_bounds_costs_no_memory(server: RealServer) -> None:
    before = server.memory_bytes()
    for name, last in (("flood", ""), ("one-line", "after"), ("binary", "")):
        run = server.ask("POST", "/runs", {"job": name}).document["runs"][0]["id"]
        assert server.runyard("runs", "wait", run).status == 0
        out = server.runyard("logs", run).out
        assert len(out.encode()) < 3 * LOG_BYTES_MAX
        assert last in out.splitlines()[-1]
    flood = server.last_run("flood")["id"]
    (task,) = server.ask("GET", f"/runs/{flood}/tasks").document["tasks"]
    assert f"dropped: the limit of {LOG_BYTES_MAX} bytes" in task["message"]
    assert server.memory_bytes() - before < 64 * MIB


def test_followers_that_do_not_read_are_not_read_for(server: RealServer) -> None:
    assert server.run("flood", "--no-log").status == 0
    run = server.last_run("flood")["id"]
    before = server.memory_bytes()
    with ExitStack() as stack:
        for _ in range(50):
            follower = stack.enter_context(server.connect())
            head = [f"GET /api/v1/runs/{run}/events HTTP/1.1", "Host: localhost"]
            head += [f"Authorization: Bearer {server.token}", "", ""]
            follower.sendall("\r\n".join(head).encode())
            assert follower.recv(12) == b"HTTP/1.1 200"
        for _ in range(3):  # a look of each of them lies between two of these
            assert server.ask("GET", f"/runs/{run}/log?limit=1").status == 200
        assert server.memory_bytes() - before < 150 * MIB  # 700 MiB when each held four


def test_a_log_plays_no_tricks_with_what_reads_json(server: RealServer) -> None:
    done = server.run("tricks", "--json")
    assert done.status == 0
    assert "hello" in done.out
    assert not {"\x1b", "\x07", "\x9b"} & set(done.out)
    assert [json.loads(line) for line in done.out.splitlines()]


def test_what_could_not_run_is_refused_before(server: RealServer) -> None:
    bad = {
        "zero": shell("echo a\0b"),
        "names": job(
            "env", env=[{"name": name, "value": ""} for name in ("A=B", "", "1X", "K_SERVICE")]
        ),
        "long": job("true", env=[{"name": "LONG", "value": "x" * 40_000}]),
    }
    answer = server.apply({"fine": job("true")} | bad)
    assert answer.status == 400
    paths = [fault["path"] for fault in answer.error["details"]]
    assert {path.split(".")[1] for path in paths} == set(bad)
    assert "fine" not in server.jobs()


def test_thirty_bad_jobs_at_once_hold_up_no_good_one(server: RealServer) -> None:
    assert server.apply({"good": shell("echo fine")}).status == 200
    for _ in range(3):
        for name in ("missing", "too-much", "segfault", "closes"):
            assert server.ask("POST", "/runs", {"job": name}).status == 201
    done = server.run("good")
    assert done.status == 0
    assert done.out == "[0] fine\n"


def _processes(argument: str) -> list[int]:
    return [pid for pid, words in command_lines() if os.fsencode(argument) in words.split(b"\0")]
