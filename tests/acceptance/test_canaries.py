"""Nothing of a secret's value is anywhere but where it belongs: values that are easy to find are
put in by every way there is, read, refused, rotated under kills, backed up; all is searched."""

from __future__ import annotations

import base64
import gzip
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from random import Random

import pytest

from tests.support.real_server import RealServer, eventually, real_server, shell

KILLS = 6
CANARIES = [f"canary-{number}-{Random(number).getrandbits(96):024x}" for number in range(4)]
FORMS = [
    form
    for canary in CANARIES
    for form in (
        canary.encode(),
        base64.b64encode(canary.encode()).rstrip(b"="),
        canary.encode().hex().encode(),
        canary[::-1].encode(),
    )
]


def found_in(content: bytes) -> list[bytes]:
    return [form for form in FORMS if form in content]


@pytest.fixture(scope="module")
def server() -> Iterator[RealServer]:
    with real_server() as started:
        yield started


def put(server: RealServer, name: str, verb: str, canary: str) -> str:
    done = server.runyard.process("secrets", verb, name, stdin=canary.encode())
    assert done.status == 0, done.err
    return done.out + done.err


def test_nothing_of_a_value_is_anywhere(server: RealServer, tmp_path: Path) -> None:
    said = [
        put(server, "one", "create", CANARIES[0]),
        put(server, "one", "add-version", CANARIES[1]),
    ]
    said += [put(server, "two", "create", CANARIES[2])]
    said += _runs(server)
    said += _refused(server)
    said += _changes(server)
    values = _rotated_under_kills(server)
    assert values == {"one": CANARIES[1], "two": CANARIES[2]}
    archive = tmp_path / "backup.tgz"
    said.append(server.runyard.process("backup", str(archive)).out)
    said += [server.runyard.process(*words).out for words in _LOOKS]
    for text in said:
        assert found_in(text.encode()) == []
    assert found_in(gzip.decompress(archive.read_bytes())) == []
    searched = 0
    for path in server.folder.rglob("*"):
        if path.is_file():
            searched += 1
            assert found_in(path.read_bytes()) == [], path
            assert "key" not in path.name or path.stat().st_mode & 0o077 == 0
    assert searched > 5
    assert not (server.folder / "cloud" / "secrets.key.next").exists()


_LOOKS = (
    ("secrets", "list", "--json"),
    ("secrets", "get", "one", "--json"),
    ("secrets", "versions", "one", "--json"),
    ("secrets", "accesses", "--json"),
    ("jobs", "--json"),
    ("runs", "--json"),
    ("config", "--json"),
    ("status", "--json"),
)


def _runs(server: RealServer) -> list[str]:
    """A job that prints what it should not."""
    refs = {name: {"secret": name, "version": "latest"} for name in ("one", "two")}
    env = [
        {"name": name.upper(), "valueSource": {"secretKeyRef": ref}} for name, ref in refs.items()
    ]
    script = 'echo "$ONE and $TWO"; echo "$ONE" >&2; test "${#ONE}" -gt 20'
    reply = server.apply({"leaky": shell(script, env=env)})
    assert reply.status == 200, reply.body
    done = server.run("leaky")
    assert done.status == 0, done.out + done.err
    assert "redacted:one" in done.out
    run = server.last_run("leaky")
    explained = server.runyard("explain", run["id"], "--json")
    return [done.out, done.err, explained.out, reply.body.decode(), str(run)]


def _refused(server: RealServer) -> list[str]:
    """Values where none belongs, or that do not fit."""
    sent = base64.b64encode(CANARIES[3].encode()).decode()
    replies = [
        server.ask("POST", "/secrets", {"name": "one", "value_base64": sent}),
        server.ask("POST", "/secrets", {"name": "three", "value_base64": CANARIES[3]}),
        server.ask("POST", "/secrets", {"name": "a b", "value_base64": sent}),
        server.ask("POST", "/secrets/none:addVersion", {"value_base64": sent}),
        server.ask("POST", "/secrets/one:addVersion", f'{{"value_base64": "{sent}'.encode()),
    ]
    assert {reply.status for reply in replies} <= {400, 404, 409}
    refused = server.runyard.process("secrets", "create", "one", stdin=CANARIES[3].encode())
    assert refused.status == 73
    return [*(reply.body.decode() for reply in replies), refused.out, refused.err]


def _changes(server: RealServer) -> list[str]:
    """Everything else that can be done with a secret."""
    put(server, "gone", "create", CANARIES[3])
    words = (
        ("disable", "one", "1"),
        ("enable", "one", "1"),
        ("alias", "one", "stable", "1"),
        ("grant", "one", "user:bea"),
        ("destroy", "gone", "1", "--yes"),
        ("delete", "gone", "--yes"),
    )
    done = [server.runyard.process("secrets", *each) for each in words]
    assert [one.status for one in done] == [0] * len(words), [one.err for one in done]
    return [one.out + one.err for one in done]


def _rotated_under_kills(server: RealServer) -> dict[str, str]:
    """The server is killed while a rotation is under way, again and again; what is read then."""
    chance = Random(5)
    for _ in range(KILLS):
        reading = server.connect()
        head = f"POST /api/v1/secrets:rotateKey HTTP/1.1\r\nHost: {server.said['url'][7:]}\r\n"
        head += f"Authorization: Bearer {server.token}\r\nContent-Length: 2\r\n\r\n{{}}"
        reading.sendall(head.encode())
        reading.settimeout(chance.random() * 0.03)
        with suppress(TimeoutError):
            reading.recv(1)
        pid = int(server.said["pid"])
        os.kill(pid, signal.SIGKILL)
        assert eventually(partial(_dead, pid))
        reading.close()
        server.up()
    return {name: _value(server, name) for name in ("one", "two")}


def _dead(pid: int) -> bool:
    words = Path(f"/proc/{pid}/cmdline")
    return not (words.exists() and words.read_bytes())


def _value(server: RealServer, name: str) -> str:
    reply = server.ask("POST", f"/secrets/{name}/versions/latest:access", {})
    return base64.b64decode(reply.document["value_base64"]).decode()
