"""Manifests as a person may hand them over by mistake or by malice, to the real command and server.

What is in a manifest is tested with the model; here it is what a file can be, what a terminal is
shown, how much is taken at once, and that nothing is lost of what was in force before.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.nobody import as_nobody
from tests.support.real_server import RealServer, job, real_server

GOOD = json.dumps({"project": "shop", "jobs": {"good": job("true")}})
#: What a terminal takes for orders: C0 and C1 controls but line ends.
ORDERS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f]")
MIB = 2**20


@pytest.fixture(scope="module")
def server() -> Iterator[RealServer]:
    with real_server() as made:
        assert made.apply({"before": job("true")}).status == 200
        yield made


def _refused(server: RealServer, path: Path, *, status: int = 64) -> str:
    """What both verbs say to a file that they refuse; nothing of it reaches a terminal raw."""
    told = ""
    for verb in ("validate", "apply"):
        for words in ((verb, str(path)), (verb, str(path), "--json")):
            done = server.runyard(*words)
            assert done.status == status, (words, done)
            assert done.out == ""
            assert not ORDERS.search(done.err), (words, done.err)
            assert "a fault in runyard" not in done.err
            told = done.err if "--json" not in words else told
    (kept,) = server.ask("GET", "/jobs?name=before").document["jobs"]
    assert kept["revision"] == 1
    return told


def _bomb() -> bytes:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    for before, name in zip("abcdefgh", "bcdefghi", strict=True):
        lines.append(f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]")
    return "\n".join(lines).encode()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"project: p\njobs: " + b"[" * 10_000 + b"]" * 10_000, "at most 40 levels"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "at most 40 levels"),
        (_bomb(), "at most 200000 values"),
        (b'project: p\njobs:\n  "\\e[31mred\\e]0;title\\a": {}\n', r"'\x1b'"),
        (b"project: p\njobs:\n  \x1b[31mred: {}\n", r"'\x1b'"),
        ('project: p\njobs:\n  "\x9b31mred": {}\n'.encode(), r"'\x9b'"),
        ('project: p\njobs:\n  "a\u202egnp": {}\n'.encode(), r"a\u202egnp"),
        (b"project: caf\xe9\n", "1:13"),
        ("project: p\n".encode("utf-16"), "UTF-8"),
        ("project: p\n".encode("utf-16-le"), r"\x00"),
        (b"project: p\0\n", r"\x00"),
        (b"", "an empty file"),
        (b"# nothing\n", "an empty file"),
        (b"project: p\nproject: q\njobs: {}\n", "a duplicate key"),
        (b"project: p\njobs: {a: {priority: " + b"9" * 5000 + b"}}\n", "64 bits"),
        (b"project: p\njobs: {a: {retry: {backoff: {factor: 1e400}}}}\n", "a finite number"),
        (b"project: p\njobs: {a: {priority: .nan}}\n", "a finite number"),
        (b'{"project": "p", "jobs": {"a": {"priority": NaN}}}', "a whole number"),
        (b'project: !!python/object/apply:os.system ["id"]\n', "a value without a tag"),
        (b"project: " + b"x" * 900_000, "at most 63"),
    ],
    ids=str,
)  # fmt: skip
def test_a_text_that_is_no_manifest(
    content: bytes, told: str, server: RealServer, tmp_path: Path
) -> None:
    path = tmp_path / "runyard.yaml"
    path.write_bytes(content)
    assert told in _refused(server, path)


def test_a_huge_file_is_refused_before_it_is_read(server: RealServer, tmp_path: Path) -> None:
    sparse, dense = tmp_path / "sparse.yaml", tmp_path / "dense.yaml"
    with sparse.open("wb") as file:
        file.truncate(100 * MIB)
    dense.write_bytes(b"project: p # " + b"x" * (100 * MIB))
    for path in (sparse, dense):
        began = time.monotonic()
        assert f"{path.stat().st_size} bytes, expected at most 1048576" in _refused(server, path)
        assert time.monotonic() - began < 2
    measure = [
        "import sys; from runyard.cli.main import main; main(sys.argv[1:])",
        "print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])",
    ]
    command = [*server.runyard.program([])[:1], "-c", "; ".join(measure), "validate", str(dense)]
    environ = server.runyard.environment()
    done = subprocess.run(command, env=environ, capture_output=True, check=True)
    assert int(done.stdout) * 1024 < 64 * MIB


def test_what_is_no_file(server: RealServer, tmp_path: Path) -> None:
    loop, pipe, folder = tmp_path / "loop.yaml", tmp_path / "pipe.yaml", tmp_path / "folder"
    loop.symlink_to(loop)
    os.mkfifo(pipe)
    folder.mkdir()
    assert "Too many levels of symbolic links" in _refused(server, loop)
    assert "an empty file" in _refused(server, pipe)
    assert "more, expected at most" in _refused(server, Path("/dev/zero"))
    assert "cannot be read: Input/output error" in _refused(server, Path("/proc/self/mem"))
    assert "has no file *.yaml" in _refused(server, folder, status=66)
    assert "File name too long" in _refused(server, tmp_path / ("x" * 5000))
    assert "Not a directory" in _refused(server, Path(__file__) / "runyard.yaml")
    assert r"\x1b[2J" in _refused(server, tmp_path / "\x1b[2J.yaml", status=66)


def test_a_manifest_may_come_through_a_pipe(server: RealServer) -> None:
    reader, writer = os.pipe()
    os.write(writer, GOOD.encode())
    os.close(writer)
    assert server.runyard("validate", f"/dev/fd/{reader}").status == 0
    os.close(reader)


def test_a_folder_that_leads_into_itself_is_read_once(server: RealServer, tmp_path: Path) -> None:
    (tmp_path / "again").symlink_to(tmp_path)
    (tmp_path / "good.yaml").write_text(GOOD)
    os.mkfifo(tmp_path / "pipe.yaml")
    assert len(server.runyard("validate", str(tmp_path), "--json").document()["jobs"]) == 1


def test_names_and_texts_of_odd_bytes_are_taken(server: RealServer, tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"\xfe\x1b[2J.yaml")
    text = GOOD.replace('"true"', '"\\ud83d\\ude00"')
    odd.write_bytes(b"\xef\xbb\xbf" + text.encode())
    done = server.runyard("apply", str(odd), "--json")
    assert done.status == 0, done.err
    assert not ORDERS.search(done.out)
    got = server.ask("GET", "/jobs/good").document["spec"]
    assert got["template"]["template"]["containers"][0]["command"] == ["\U0001f600"]


def test_a_file_that_is_not_ours_to_read(server: RealServer) -> None:
    folder = server.folder.parent / "closed"
    folder.mkdir(mode=0o700)
    (folder / "runyard.yaml").write_text(GOOD)
    for path in (folder, folder / "runyard.yaml"):
        done = subprocess.run(
            as_nobody(server.runyard.program(["validate", str(path)])),
            env=server.runyard.environment() | {"RUNYARD_STATE_FOLDER": "/nowhere"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 77, done.stderr
        assert done.stderr == f"error: {path} is not yours to read\n"


def test_a_file_that_goes_while_it_is_looked_for(server: RealServer, tmp_path: Path) -> None:
    path, over = tmp_path / "runyard.yaml", threading.Event()

    def come_and_go() -> None:
        while not over.is_set():
            path.write_text(GOOD)
            path.unlink()

    thread = threading.Thread(target=come_and_go)
    thread.start()
    try:
        seen = {server.runyard("validate", str(tmp_path)).status for _ in range(50)}
    finally:
        over.set()
        thread.join()
    assert seen <= {0, 64, 66}, seen  # there, still empty, or gone


def test_a_thousand_jobs_are_all_or_none(server: RealServer, tmp_path: Path) -> None:
    jobs: dict[str, Any] = {f"many-{n}": job("true") for n in range(1000)}
    path = tmp_path / "runyard.json"
    bad = jobs | {"Bad_Name": {}, "many-7": job("true", timeout="never")}
    path.write_text(json.dumps({"project": "many", "jobs": bad}, indent=1))
    told = _refused(server, path)
    assert "Bad_Name" in told
    assert server.ask("GET", "/jobs?name=many-1").document["jobs"] == []
    assert "jobs.many-7.template.template.timeout: 'never'" in told
    path.write_text(json.dumps({"project": "many", "jobs": jobs}, indent=1))
    began = time.monotonic()
    applied = server.runyard("apply", str(path), "--json").document()["jobs"]
    took = time.monotonic() - began
    assert [row["change"] for row in applied] == ["created"] * 1000
    assert took < 10, took  # 0.7 s where nothing else runs
    again = server.runyard("apply", str(path), "--json").document()["jobs"]
    assert {row["change"] for row in again} == {"unchanged"}


def test_a_job_of_ten_thousand_tasks_is_taken_and_one_more_is_not(server: RealServer) -> None:
    large = job("true")
    large["template"]["taskCount"] = 10_000
    answer = server.apply({"large": large})
    assert answer.status == 200
    assert answer.document["jobs"][0]["launches_max"] == 10_000
    large["template"]["taskCount"] = 10_001
    answer = server.apply({"large": large, "new": job("true")})
    assert answer.status == 400
    assert answer.error["details"][0]["path"] == "jobs.large.template.taskCount"
    assert "new" not in server.jobs()
    kept = server.ask("GET", "/jobs/large").document["spec"]["template"]["taskCount"]
    assert kept == 10_000


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
KEYS = ("template", "retry", "concurrency", "deadline", "regions", "labels", "priority", "other")


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    text=st.text(max_size=200)
    | st.binary(max_size=100).map(lambda some: some.decode("latin-1"))
    | st.dictionaries(st.sampled_from(KEYS), JSON, max_size=5).map(
        lambda spec: json.dumps({"project": "p", "jobs": {"any": job("true") | spec}})
    ),
    name=st.text(max_size=20),
)
def test_any_manifest_is_applied_or_refused_with_its_faults(
    text: str, name: str, server: RealServer
) -> None:
    body = {"files": [{"name": name, "text": text}]}
    content = json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")
    answer = server.ask("POST", "/jobs:apply", content)
    assert answer.status in (200, 400), answer.body
    if answer.status == 400:
        faults = answer.error["details"]
        assert faults
        for fault in faults:
            assert fault["expected"]
            assert fault["value"].isprintable()
            assert fault["path"].isprintable()
