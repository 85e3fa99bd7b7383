"""`runyard users`, `tokens`, `audit` and `break-glass` on a real API."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from runyard.database.port import Tx
from tests.support.api_server import TOKEN, Api, serving
from tests.support.command_line import CommandLine, Result


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    """A server of its own."""
    folder = tmp_path / "server"
    folder.mkdir()
    with serving(folder) as started:
        yield started


@pytest.fixture
def run(api: Api, tmp_path: Path) -> CommandLine:
    """A command line of the admin."""
    return as_one(api, tmp_path, TOKEN)


def as_one(api: Api, folder: Path, token: str) -> CommandLine:
    """A command line with a token."""
    return CommandLine(folder / "client", {"RUNYARD_URL": api.url, "RUNYARD_TOKEN": token})


def done(result: Result, *, status: int = 0) -> str:
    """What a command printed, when it ended as it should."""
    assert result.status == status, result
    return result.out


def test_people_are_made_given_roles_and_disabled(run: CommandLine) -> None:
    out = done(run("users", "create", "ann@example.com", "viewer", "operator@dev", "--note", "new"))
    assert out == "ann@example.com: viewer, operator@dev\n"
    assert done(run("users", "create", "ci", "--machine")) == "ci: no role\n"
    assert done(run("users", "grant", "ci", "viewer@dev", "admin@dev")) == "ci: admin@dev\n"
    assert done(run("users", "ungrant", "ci", "dev")) == "ci: no role\n"
    assert done(run("users", "disable", "ci", "--reason", "unused")) == "ci: disabled\n"
    listed = done(run("users"))
    assert [line.split()[:2] for line in listed.splitlines()] == [
        ["NAME", "KIND"],
        ["admin", "user"],
        ["ann@example.com", "user"],
        ["ci", "machine"],
    ]
    assert done(run("users", "enable", "ci", "--json")).startswith('{"name": "ci"')
    found = run("users", "list", "--json").document()["principals"]
    assert [one["note"] for one in found] == [
        "has the token in the file `token` of the state folder",
        "new",
        "",
    ]


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("users", "create", "Ann"), 64, "lower-case letters"),
        (("users", "create", "ann", "boss"), 64, "viewer, operator, admin"),
        (("users", "grant", "ann"), 64, "no role was named"),
        (("users", "grant", "nobody", "viewer"), 66, "there is no principal nobody"),
        (("users", "disable", "admin"), 65, "last admin"),
        (("tokens", "create", "--for", "nobody"), 66, "no principal nobody"),
        (("tokens", "create", "--expires", "soon"), 64, "--expires"),
        (("tokens", "create", "--ceiling", "king"), 64, "ceiling"),
        (("tokens", "revoke", "tok_1"), 66, "no token tok_1"),
        (("tokens", "rotate", "x" * 80), 66, "no token with this id"),
        (("audit", "verify", "--anchor", "7"), 64, "NUMBER:DIGEST"),
        (("audit", "anchor", "--url", "ftp://x"), 64, "a URL such as"),
        (("audit", "anchor", "--url", "http://127.0.0.1:1/x"), 69, "was not taken"),
        (("break-glass", "prod"), 64, "without a reason"),
        (("break-glass", "prod", "--reason", "r", "--for", "48h"), 64, "lasting"),
        (("break-glass", "--close", "exc_1"), 66, "no exception exc_1"),
    ],
)
def test_what_cannot_be_is_said_with_a_next_step(
    words: tuple[str, ...], status: int, said: str, run: CommandLine
) -> None:
    result = run(*words)
    assert result.status == status, result
    assert said in result.err
    assert "Traceback" not in result.err


def test_a_token_is_shown_once_and_gets_in(api: Api, run: CommandLine, tmp_path: Path) -> None:
    done(run("users", "create", "ann", "operator"))
    made = run("tokens", "create", "--for", "ann", "--label", "laptop", "--expires", "12h")
    token = done(made).strip()
    assert token.startswith("runyard_")
    assert "it is not shown again" in made.err
    ann = as_one(api, tmp_path, token)
    told = done(ann("users", "whoami"))
    assert "you are:" in told
    assert "ann" in told
    me = ann("users", "whoami", "--json").document()
    assert (me["name"], me["ceiling"]) == ("ann", "admin")
    listed = ann("tokens", "--json").document()["tokens"]
    assert [(one["id"], one["label"]) for one in listed] == [(me["token_id"], "laptop")]
    assert token.rpartition("_")[2] not in json.dumps(listed)
    assert "good" in done(run("tokens", "list", "--for", "ann"))
    assert done(ann("users", "create", "eve"), status=77) == ""
    own = ann("tokens", "create", "--ceiling", "viewer", "--environment", "dev", "--json")
    scoped = own.document()
    assert (scoped["ceiling"], scoped["environments"]) == ("viewer", ["dev"])
    viewer = as_one(api, tmp_path, scoped["token"])
    assert "cannot make one that" in viewer("tokens", "create", "--expires", "1h").err


def test_a_token_goes_into_a_file_for_its_owner_only(run: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "ci.token"
    out = done(run("tokens", "create", "--out", str(path), "--expires", "never"))
    assert f"never ends, is in {path}" in out
    assert "runyard_" not in out
    assert path.stat().st_mode & 0o777 == 0o600
    again = run("tokens", "create", "--out", str(path))
    assert again.status == 73
    lost = run("tokens", "create", "--out", str(tmp_path / "no" / "file"))
    assert lost.status == 77
    assert "revoke it" in lost.err
    document = run("tokens", "create", "--out", str(tmp_path / "b"), "--json").document()
    assert "token" not in document


def test_a_token_is_rotated_and_revoked(api: Api, run: CommandLine, tmp_path: Path) -> None:
    done(run("users", "create", "ci", "viewer", "--machine"))
    first = run("tokens", "create", "--for", "ci", "--json").document()
    second = run("tokens", "rotate", first["id"], "--overlap", "1h", "--json").document()
    old, new = (as_one(api, tmp_path, one["token"]) for one in (first, second))
    assert old("users", "whoami").status == new("users", "whoami").status == 0
    assert done(run("tokens", "revoke", second["id"], "--reason", "lost")).endswith("revoked\n")
    refused = new("users", "whoami")
    assert refused.status == 77
    assert "was revoked" in refused.err
    assert done(run("tokens", "revoke", first["id"], "--json")).startswith('{"id"')
    assert done(run("tokens", "list", "--for", "ci")).count("revoked") == 2


def test_the_audit_log_is_shown_anchored_and_verified(
    api: Api, run: CommandLine, tmp_path: Path
) -> None:
    done(run("users", "create", "ann", "viewer"))
    done(run("users", "disable", "ann", "--reason", "has left"))
    lines = done(run("audit")).splitlines()
    assert [line.split()[0] for line in lines] == ["NUMBER", "3", "2", "1"]
    assert "has left" in lines[1]
    newest = run("audit", "list", "--by", "admin", "--limit", "1", "--json").document()
    (entry,) = newest["entries"]
    assert entry["before"]["disabled"] is False
    assert entry["origin"]["user_agent"].startswith("runyard-cli/")
    assert newest["next_page_token"]
    assert done(run("audit", "list", "--action", "token.create")).count("\n") == 1

    file = tmp_path / "anchors"
    anchor = done(run("audit", "anchor", "--file", str(file))).strip()
    assert anchor.startswith("4:")
    done(run("audit", "anchor", "--file", str(file), "--json"))
    plain = run("audit", "verify")
    assert plain.out.startswith("5 entries hold together\nhead 5:")
    assert "without an anchor" in plain.err
    held = done(run("audit", "verify", "--anchor-file", str(file), "--anchor", anchor))
    assert "5 entries hold together, and 2 anchors hold" in held

    tampered(api, "DELETE FROM audit WHERE sequence > 3")
    assert run("audit", "verify").status == 0  # the end was cut off, and nothing shows it
    cut = run("audit", "verify", "--anchor-file", str(file))
    assert cut.status == 65
    assert "entry 4 is wrong: entries are missing at the end" in cut.out
    tampered(api, "UPDATE audit SET by_whom = 'eve' WHERE sequence = 2")
    edited = run("audit", "verify", "--json")
    assert edited.status == 65
    assert edited.document()["problem"]["sequence"] == 2


def tampered(api: Api, statement: str) -> None:
    """Do something to the audit log's rows, as who owns the database can."""

    async def work(tx: Tx) -> None:
        await tx.execute("DROP TRIGGER IF EXISTS audit_keeps_entries")
        await tx.execute("DROP TRIGGER IF EXISTS audit_loses_nothing")
        await tx.execute(statement)

    api.call(lambda: api.behind.services.database.write(work))


def test_an_anchor_file_must_hold_anchors_and_be_writable(run: CommandLine, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.write_text("\n")
    refused = run("audit", "verify", "--anchor-file", str(empty))
    assert refused.status == 64
    assert "at least one anchor" in refused.err
    lost = run("audit", "anchor", "--file", str(tmp_path / "no" / "file"))
    assert lost.status == 77
    assert "cannot be written" in lost.err


@contextmanager
def collecting(status: int) -> Iterator[tuple[str, list[bytes]]]:
    """Something elsewhere that takes anchors: its URL, and what it was sent."""
    bodies: list[bytes] = []

    class Taker(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Taker)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/anchors", bodies
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_an_anchor_is_sent_elsewhere(run: CommandLine) -> None:
    with collecting(204) as (url, bodies):
        anchor = done(run("audit", "anchor", "--url", url)).strip()
        assert json.loads(bodies[0])["anchor"] == anchor
    with collecting(500) as (url, _):
        refused = run("audit", "anchor", "--url", url)
        assert "it answered 500" in refused.err


def test_breaking_the_glass_is_loud_and_ends(api: Api, run: CommandLine, tmp_path: Path) -> None:
    opened = done(run("break-glass", "prod", "--reason", "it burns", "--for", "30m"))
    identity = opened.partition(":")[0]
    assert "the glass of prod is open until" in opened
    assert "GLASS BROKEN: the guards of prod do not hold admin up until" in done(run("status"))
    assert "it burns" in done(run("break-glass"))
    assert run("break-glass", "--json").document()["exceptions"][0]["id"] == identity
    done(run("users", "create", "ann", "operator"))
    token = done(run("tokens", "create", "--for", "ann")).strip()
    ann = as_one(api, tmp_path, token)
    assert ann("break-glass", "prod", "--reason", "me too").status == 77
    assert ann("break-glass", "--close", identity).status == 77
    closed = run("break-glass", "--close", identity)
    assert done(closed) == f"{identity}: the glass of prod is closed\n"
    assert "GLASS" not in done(run("status"))
    assert done(run("break-glass", "prod", "--reason", "again", "--json")).startswith('{"id"')
    actions = run("audit", "list", "--json").document()["entries"]
    assert [one["action"] for one in actions if one["environment"] == "prod"] == [
        "break-glass.open",
        "break-glass.close",
        "break-glass.open",
    ]
