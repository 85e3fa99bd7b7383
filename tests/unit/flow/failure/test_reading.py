"""Lines as statements: what belongs together, what is left out, and which of them decides."""

from __future__ import annotations

import time

import pytest

from runyard.flow.failure.reading import HEAD_MAX, TAIL_MAX, read
from runyard.model.failure import FailureClass, Shortage

F = FailureClass


def seen(*lines: str) -> tuple[FailureClass, str] | None:
    found = read(lines)
    return None if found is None else (found.said.failure_class, found.line)


def test_what_says_nothing_is_not_read() -> None:
    assert seen() is None
    assert seen("", "all is well", "bye") is None


def test_the_last_statement_that_says_something_decides() -> None:
    refused, key = "connection refused", "KeyError: 'x'"
    assert seen(refused, key, "bye") == (F.APPLICATION, key)
    assert seen(key, refused) == (F.NETWORK, refused)


def test_a_body_is_one_statement_and_its_clearest_part_decides() -> None:
    body = (
        "Error: {",
        '  "error": {',
        '    "code": 403,',
        '    "reason": "rateLimitExceeded"',
        "  }",
        "}",
    )
    assert seen(*body) == (F.RESOURCE, '    "reason": "rateLimitExceeded"')


def test_an_exception_and_its_causes_are_one_statement() -> None:
    lines = (
        "java.lang.RuntimeException: job failed",
        "    at com.shop.Job.run(Job.java:3)",
        "Caused by: java.net.UnknownHostException: db.example",
        "    ... 12 more",
    )
    assert seen(*lines) == (F.NETWORK, lines[2])


def test_what_only_the_whole_of_a_body_says_is_shown_by_its_first_line() -> None:
    body = ("DefaultCPUAllocator: can't allocate", "  memory: you tried to allocate 12 bytes.")
    assert [seen(line) for line in body] == [None, None]
    assert seen(*body) == (F.RESOURCE, body[0])
    found = read(("Backend Error", "  [503]"))
    assert found is not None
    assert (found.said.rule, found.line) == ("status 503", "Backend Error")
    assert read(("  [503]",)) is None


@pytest.mark.parametrize(
    "line",
    [
        "2026-01-02 03:04:05 at com.shop.TimeoutError.of(A.java:3)",
        "    at async connectionRefused (/x.js:3)",
        "    at /rustc/x/timeout.rs:3",
        "  12: core::panicking::socket_hang_up",
        "        1: from /x/connection_refused.rb:3",
        "#1 [internal function]: connection_refused()",
        "#2 {main} connection refused",
        "goroutine 1 [connection refused]:",
        "\t/x/connection/refused.go:12 +0x1d, connection refused",
        "created by net/http.connection refused",
        '│   on main.tf line 3, in resource "x" "connection refused":',
        '│   with x["connection-refused"],',
        "    at com.shop.TimeoutError.of(A.java:3)",
        '  File "/x/connection_refused.py", line 3, in f',
        "#12 0x7f connection refused",
        "    raise ConnectionError(e)",
        "    ... 12 more",
    ],
)
def test_a_stack_and_its_source_name_what_was_called(line: str) -> None:
    assert seen(line) is None


@pytest.mark.parametrize(
    "line",
    [
        "Error: Process completed with exit code 1.",
        "make: *** [Makefile:3: connection-lost] Error 1",
        "make[1]: *** [Makefile:3: connection-lost] Error 1",
        "exit status 2",
        "npm ERR! A complete log of this run can be found in: /x/network-error.log",
        "reaped #<Process::Status: pid 7 SIGKILL (signal 9)>",
    ],
)
def test_a_line_that_only_tells_of_an_end_is_left_out(line: str) -> None:
    assert seen("connection refused", line) == (F.NETWORK, "connection refused")


def test_what_a_program_survived_counts_only_where_nothing_else_is_said() -> None:
    survived = "WARN connection refused, retrying"
    assert seen(survived, "done") == (F.NETWORK, survived)
    assert seen("MemoryError", survived) == (F.RESOURCE, "MemoryError")
    assert seen(survived, "shop.OrderError: 12") is None


def test_the_source_below_a_frame_of_python_is_left_out() -> None:
    frame = '  File "x.py", line 3, in f'
    assert seen(frame, '    fail("connection refused")') is None
    assert seen(frame, "OSError: connection refused") is not None
    assert seen(frame, "    ^^^^", "    error: connection refused") is not None


def test_a_record_on_a_line_of_its_own_is_a_statement_of_its_own() -> None:
    last = '{"level": "error", "message": "socket hang up"}'
    assert seen('{"level": "error", "status": 403}', last) == (F.NETWORK, last)


@pytest.mark.parametrize(
    "line",
    [
        "INFO quota exceeded",
        '{"level": "warn", "message": "quota exceeded"}',
        "{:level=>:warn, :message=>quota exceeded}",
        "level=info quota exceeded",
        "quota exceeded, retrying",
        "quota exceeded. Retry 2 of 3",
        "quota exceeded. Trying again in 2 s",
        "fatal: the remote end hung up unexpectedly",
        "fatal: Could not read from remote repository: quota exceeded",
        "slurmstepd: error: *** STEP 3.0 ON n1 CANCELLED AT 2026-01-02T03:04:05 ***",
        "Command 'quota exceeded' returned non-zero exit status 3.",
        "Connection closed",
        "lost connection",
        "quota exceeded: Aborted (core dumped)",
    ],
)
def test_what_saw_the_failure_or_outlived_it_does_not_decide(line: str) -> None:
    assert seen("permission denied", line) == (F.PERMISSION, "permission denied")


@pytest.mark.parametrize(
    "line",
    [
        "quota exceeded. Please retry the job",
        "quota exceeded, then retry",
        "quota exceeded. Retrying may help",
        "quota exceeded. Retry-After: 3",
        "quota exceeded after 6 retries",
        "quota exceeded, max retries reached",
        "quota exceeded, retries exhausted",
        "quota exceeded in retry 3, giving up",
    ],
)
def test_advice_and_the_last_try_decide(line: str) -> None:
    assert seen("permission denied", line) == (F.RESOURCE, line)


@pytest.mark.parametrize(
    "line",
    [
        "error: no value for 'timeout'",
        'error: no value for "shop.timeout"',
        "error: no value for --timeout",
        "error: no value for timeout==3",
        "error: no value in /etc/timeout",
        "error: no value in timeout.csv",
        "error: key: 'shop.timeout'",
    ],
)
def test_weak_words_do_not_count_in_names(line: str) -> None:
    assert seen(line) is None


def test_weak_words_count_in_values_and_below_an_error() -> None:
    assert seen("error: {'reason': 'timeout'}") == (F.TIMEOUT, "error: {'reason': 'timeout'}")
    assert seen("Runtime Error", "  deadline of it") == (F.TIMEOUT, "  deadline of it")
    assert seen("Runtime Error", "deadline of it") is None
    assert seen("all is well", "  deadline of it") is None


def test_words_of_what_was_asked_are_the_programs_own() -> None:
    line = "error: the deadline is invalid"
    assert seen("error: the deadline", line) == (F.APPLICATION, line)


def test_weak_words_need_a_statement_that_tells_of_an_error() -> None:
    assert seen("42 connections made") is None
    assert seen("error: 42 connection attempts") == (F.NETWORK, "error: 42 connection attempts")


def test_that_of_the_statement_just_above_counts_for_one_that_is_further_in() -> None:
    error, below = "error: it broke", "  the socket went away"
    assert seen(error, below) == (F.NETWORK, below)
    assert seen(error, below.strip()) is None
    assert seen(error, "all is well", below) is None
    assert seen("all is well", below, error) is None


def test_a_long_statement_is_read_at_its_ends() -> None:
    middle = "x" * HEAD_MAX + " connection refused " + "x" * TAIL_MAX
    assert seen(middle) is None
    end = "x" * (HEAD_MAX + TAIL_MAX) + " connection refused"
    assert seen(end) == (F.NETWORK, end)


def test_a_shortage_is_told() -> None:
    found = read(("0/3 nodes are available: 3 Insufficient memory.",))
    assert found is not None
    assert (found.said.failure_class, found.said.shortage) == (F.RESOURCE, Shortage.CAPACITY)


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("error: unexpected EOF", "connection lost"),
        ("[SSL: UNEXPECTED_EOF_WHILE_READING] x", "tls"),
        ("com.shop.ssh.UnknownHostKeyException: db", "tls"),
        ("java.net.UnknownHostException: db", "name resolution"),
    ],
)
def test_a_peer_that_breaks_off_is_told_apart_from_one_that_is_not_trusted(
    line: str, rule: str
) -> None:
    found = read((line,))
    assert found is not None
    assert found.said.rule == rule


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        " ",
        ".",
        "a.",
        "a:",
        "a ",
        "(",
        "Error",
        "a.Error",
        "4",
        "404 ",
        "could not ",
        "no ",
        "not ",
        "code ",
        "time",
        "connection ",
        "exit with 1",
        "[a",
        "[a] ",
        "2026-01-02 ",
        "/a",
        "'a",
        "-a",
        "<a",
        "retry ",
        "a.A: ",
        "Http",
        "ResponseError",
        "fail: a_",
        "access to ",
        "\t",
        "{",
        "a_",
        "A",
        "é",
    ],
)
def test_no_line_takes_long(piece: str) -> None:
    line = (piece * 3_000)[:3_000]
    read((line,))
    start = time.process_time()
    read((line,) * 5)
    assert time.process_time() - start < 1
