"""Following a run: every line once, whatever the connection does, and the run's end as status."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import CommandLine
from tests.support.fake_server import (
    BREAK,
    Event,
    FakeServer,
    a_run,
    an_entry,
    an_outcome,
    error,
    serving,
)

RUN = "run_" + "0" * 26


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeServer]:
    with serving(tmp_path) as server:
        yield server


@pytest.fixture
def runyard(tmp_path: Path, fake: FakeServer) -> CommandLine:
    return CommandLine(tmp_path)


def state(number: int, name: str, **more: Any) -> Event:
    return Event(str(number), "run", a_run(state=name, version=number, **more))


def log(position: int, text: str, **more: Any) -> Event:
    return Event(f"log-{position}", "log", an_entry(position, text, **more))


def end(name: str, **more: Any) -> Event:
    run = a_run(
        state=name,
        version=99,
        attempt=1,
        duration_seconds=2.0,
        cost="$0.0021",
        outcome=an_outcome(**more),
    )
    return Event("99", "end", run)


def test_log_lines_are_the_result_and_the_rest_is_beside_it(
    runyard: CommandLine, fake: FakeServer
) -> None:
    fake.streams[RUN] = [
        [state(1, "queued"), state(2, "running", attempt=1), log(1, "hello"), end("succeeded")]
    ]
    done = runyard("run", "report", "--wait")
    assert done.status == 0
    assert done.out == "[0] hello\n"
    assert done.err.splitlines() == [
        f"{RUN} queued",
        f"{RUN} running, attempt 1 of 1",
        "report in us-central1 succeeded · in 2s · tasks 1: 1 succeeded · $0.0021",
    ]


@pytest.mark.parametrize(
    ("name", "status"), [("succeeded", 0), ("dead", 1), ("cancelled", 3), ("skipped", 4)]
)
def test_the_exit_status_is_the_runs_end(
    name: str, status: int, runyard: CommandLine, fake: FakeServer
) -> None:
    fake.streams[RUN] = [[end(name)]]
    assert runyard("run", "report", "-w").status == status
    assert runyard("runs", "wait", RUN).status == status
    assert runyard("runs", "wait", RUN, "--json").document()["state"] == name


def test_a_broken_stream_is_resumed_without_a_lost_or_doubled_line(
    runyard: CommandLine, fake: FakeServer
) -> None:
    fake.streams[RUN] = [
        [state(1, "running"), log(1, "one"), log(2, "two"), BREAK],
        # This server repeats some of what it has sent: the second line and the state.
        [state(1, "running"), log(2, "two"), log(3, "three"), BREAK],
        [],
        [log(4, "four"), end("succeeded")],
    ]
    done = runyard("run", "report", "--wait")
    assert done.status == 0
    assert done.out == "[0] one\n[0] two\n[0] three\n[0] four\n"
    assert done.err.count("connection lost, trying again") == 3
    assert done.err.count("running") == 1
    asked = fake.asked("GET", f"/runs/{RUN}/events")
    resumed = [one.headers.get("last-event-id") for one in asked]
    assert resumed == [None, "log-2", "log-3", "log-3"]
    assert len(runyard.pauses) == 3


def test_positions_begin_anew_with_each_attempt(runyard: CommandLine, fake: FakeServer) -> None:
    fake.streams[RUN] = [
        [log(1, "first", run_attempt=1), log(1, "second", run_attempt=2), end("succeeded")]
    ]
    assert runyard("run", "report", "--wait").out == "[0] first\n[0] second\n"


def test_a_server_that_stays_away_is_given_up_after_a_while(
    runyard: CommandLine, fake: FakeServer
) -> None:
    fake.streams[RUN] = [[BREAK]]
    done = runyard("run", "report", "--wait")
    assert done.status == 69
    assert 100 < sum(runyard.pauses) < 200


def test_an_answer_that_is_no_outage_is_not_repeated(
    runyard: CommandLine, fake: FakeServer
) -> None:
    fake.replies["GET", f"/runs/{RUN}/events"] = error(404, "NOT_FOUND", "it was pruned")
    done = runyard("logs", "-f", RUN)
    assert done.status == 66
    assert runyard.pauses == []


def test_failures_are_told_at_the_end(runyard: CommandLine, fake: FakeServer) -> None:
    failure = {"index": 4, "attempts": 1, "message": "killed by signal 9", "signal": 9}
    fake.streams[RUN] = [[end("dead", ending="failed", failed_count=1, failures=[failure])]]
    assert "task 4: killed by signal 9" in runyard("run", "report", "--wait").err


def test_with_json_every_event_is_a_line(runyard: CommandLine, fake: FakeServer) -> None:
    fake.streams[RUN] = [[state(1, "running"), log(1, "hello"), end("dead")]]
    done = runyard("run", "report", "--wait", "--json")
    assert done.status == 1
    assert [line["event"] for line in done.lines()] == ["run", "log", "end"]
    assert done.lines()[1]["data"]["text"] == "hello"


def test_without_the_log_the_server_is_not_asked_for_it(
    runyard: CommandLine, fake: FakeServer
) -> None:
    fake.streams[RUN] = [[end("succeeded")]]
    runyard("run", "report", "--wait", "--no-log")
    (asked,) = fake.asked("GET", f"/runs/{RUN}/events")
    assert asked.query == {"log": ["false"]}


def test_what_the_platform_adds_is_beside_the_result(
    runyard: CommandLine, fake: FakeServer
) -> None:
    entries = [an_entry(1, "image is not pulled", stream="system"), an_entry(2, "hello")]
    fake.streams[RUN] = [[*(Event("", "log", one) for one in entries), end("succeeded")]]
    fake.runs, fake.logs[RUN] = [a_run()], entries
    for words in (["logs", RUN], ["logs", "-f", RUN], ["run", "report", "--wait"]):
        fake.replies["POST", "/runs"] = (201, {"runs": fake.runs})
        done = runyard(*words)
        assert done.out == "[0] hello\n"
        assert "[0] note: image is not pulled" in done.err
    assert runyard("logs", RUN, "--json").lines() == entries


def test_a_followed_log_can_be_of_one_task_and_attempt(
    runyard: CommandLine, fake: FakeServer
) -> None:
    fake.streams[RUN] = [
        [log(1, "a"), log(2, "b", task=1), log(1, "c", task=1, run_attempt=2), end("dead")]
    ]
    assert runyard("logs", "-f", RUN).out == "[0] a\n[1] b\n[1] c\n"
    assert runyard("logs", "-f", RUN, "--task", "1", "--attempt", "1").out == "[1] b\n"
    followed = runyard("logs", "-f", RUN, "--json")
    assert followed.status == 0
    assert [entry["text"] for entry in followed.lines()] == ["a", "b", "c"]


def test_a_run_that_has_ended_is_read_to_the_end_of_its_log(
    runyard: CommandLine, fake: FakeServer
) -> None:
    fake.runs, fake.logs[RUN] = [a_run(ended_at="2026-01-01T00:00:30Z")], [an_entry(1, "hello")]
    fake.late_reads = 3
    done = runyard("logs", RUN)
    assert (done.out, runyard.pauses) == ("[0] hello\n", [1.0] * 3)
    assert done.err == "the run has ended; its last lines may still come\n"
    fake.late_reads = 1000
    done = runyard("logs", RUN)
    assert (done.out, len(runyard.pauses)) == ("[0] hello\n", 63)
    assert done.err.endswith("the log may go on: ask again later\n")
    fake.runs = [a_run(ended_at=None)]
    assert runyard("logs", RUN).err == ""
    assert len(runyard.pauses) == 63


def test_several_regions_are_followed_together(runyard: CommandLine, fake: FakeServer) -> None:
    other = "run_" + "1" * 26
    runs = [a_run(id=RUN, region="r1"), a_run(id=other, region="r2")]
    fake.replies["POST", "/runs"] = (201, {"runs": runs})
    fake.streams[RUN] = [[log(1, "here"), BREAK], [log(2, "still"), end("succeeded")]]
    fake.streams[other] = [[log(1, "there", task=7), end("cancelled")]]
    done = runyard("run", "report", "--wait")
    assert done.status == 3
    assert sorted(done.out.splitlines()) == ["[r1 0] here", "[r1 0] still", "[r2 7] there"]


def _terminal_output(
    runyard: CommandLine, *words: str, interrupt_at: bytes = b""
) -> tuple[int, str]:
    """With a terminal as stdin, stdout and stderr; SIGINT once `interrupt_at` is seen."""
    ours, theirs = pty.openpty()
    environ = runyard.environment() | {"TERM": "xterm-256color", "COLUMNS": "100"}
    with subprocess.Popen(
        runyard.interruptible(words), stdin=theirs, stdout=theirs, stderr=theirs, env=environ
    ) as process:
        os.close(theirs)
        seen = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # the other side has closed
                break
            seen += part
            if interrupt_at and interrupt_at in seen:
                process.send_signal(signal.SIGINT)
                interrupt_at = b""
        os.close(ours)
    return process.returncode, seen.decode()


def test_a_terminal_has_colours_and_a_bar_but_no_tricks_of_a_task(
    runyard: CommandLine, fake: FakeServer
) -> None:
    progress = {
        "attempt": 1,
        "task_count": 2,
        "running_count": 1,
        "succeeded_count": 1,
        "failed_count": 0,
        "cancelled_count": 0,
        "retried_count": 0,
    }
    fake.streams[RUN] = [
        [
            state(1, "running", task_count=2),
            log(1, "plain"),
            log(2, "\x1b[31mred\x1b[0m \x1b[2Jwiped", task=1),
            Event("p", "progress", progress),
            end("succeeded"),
        ]
    ]
    fake.replies["POST", "/runs"] = (201, {"runs": [a_run(id=RUN, task_count=2)]})
    status, seen = _terminal_output(runyard, "run", "report", "--wait")
    assert status == 0
    assert "\x1b[36m[0] \x1b[0mplain" in seen
    assert "\x1b[31mred" in seen
    assert "\x1b[2J" not in seen
    assert "1/2 succeeded, 1 running" in seen
    runyard.environ["NO_COLOR"] = "1"
    _, plain = _terminal_output(runyard, "run", "report", "--wait")
    assert "[0] plain" in plain
    assert "\x1b[36m" not in plain


def test_ctrl_c_stops_the_waiting_and_not_the_run(
    runyard: CommandLine, fake: FakeServer, tmp_path: Path
) -> None:
    fake.streams[RUN] = [[log(1, "hello"), BREAK]]
    status, seen = _terminal_output(
        runyard, "run", "report", "--wait", interrupt_at=b"connection lost"
    )
    assert status == 130
    assert f"runyard cancel {RUN}" in seen.replace("\r\n", "")
    assert "Traceback" not in seen
    assert fake.asked("POST", f"/runs/{RUN}:cancel") == []


def test_a_table_on_a_terminal_has_colours(runyard: CommandLine, fake: FakeServer) -> None:
    fake.runs = [a_run(state="succeeded")]
    runyard.environ["COLUMNS"] = "200"
    status, seen = _terminal_output(runyard, "runs")
    assert status == 0
    assert "\x1b[32msucceeded" in seen
    assert RUN in seen
