"""Who gets in by which token, and what they may then do, over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from runyard.api.sign_in import new_token
from runyard.gate.people import AddPrincipal, ChangePrincipal
from runyard.gate.tokens import AddToken, RevokeToken
from runyard.model.principal import (
    ADMIN,
    Caller,
    Grant,
    Principal,
    PrincipalKind,
    Role,
    Scope,
    Token,
)
from tests.support.api_server import MANIFEST, START, Api, serving

ROOT = Caller(ADMIN, (Grant(Role.ADMIN),))
HOUR = timedelta(hours=1)


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    """A server of its own."""
    with serving(tmp_path) as started:
        yield started


def someone(api: Api, name: str, *grants: Grant) -> None:
    """Have a principal be there."""
    behind = api.behind
    made = Principal(name, PrincipalKind.USER, grants, START, ADMIN)
    api.call(lambda: behind.services.gate.ask(AddPrincipal(ROOT, made, behind.clock())))


def token_of(api: Api, name: str, **changes: Any) -> tuple[str, Token]:
    """A new token of a principal: what is shown, and what is kept."""
    behind = api.behind
    new = new_token(behind.clock(), behind.chance)
    token = replace(Token(new.id, name, new.digest, Scope(), behind.now, name), **changes)
    api.call(lambda: behind.services.gate.ask(AddToken(ROOT, token, behind.clock())))
    return new.text, token


def ask(api: Api, token: str, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Status and document of a request with a token."""
    answer = api.ask(method, path, body, {"Authorization": f"Bearer {token}"})
    return answer.status, answer.document


def test_a_token_gets_in_and_only_with_all_of_it(api: Api) -> None:
    someone(api, "ann", Grant(Role.VIEWER))
    text, _ = token_of(api, "ann")
    assert ask(api, text, "GET", "/runs")[0] == 200
    other, _ = token_of(api, "ann")
    swapped = other[: len("runyard_") + 26] + text[len("runyard_") + 26 :]
    for wrong in (text[:-1], text[:-1] + ("A" if text[-1] != "A" else "B"), swapped, text.upper()):
        status, document = ask(api, wrong, "GET", "/runs")
        assert (status, document["error"]["message"]) == (401, "this token is not known here")


def test_its_use_is_noted_once_an_hour(api: Api) -> None:
    someone(api, "ann", Grant(Role.VIEWER))
    text, token = token_of(api, "ann")
    services = api.behind.services

    def used() -> Any:
        found = api.call(
            lambda: services.database.read(lambda tx: services.store.people.token(tx, token.id))
        )
        assert found is not None
        return found.last_used_at

    assert used() is None
    ask(api, text, "GET", "/runs")
    first = used()
    assert first is not None
    ask(api, text, "GET", "/runs")
    assert used() == first
    api.behind.now += HOUR
    ask(api, text, "GET", "/runs")
    assert used() >= first + HOUR


def test_what_was_revoked_has_expired_or_is_disabled_is_refused_at_once(api: Api) -> None:
    someone(api, "ann", Grant(Role.VIEWER))
    services = api.behind.services
    revoked, token = token_of(api, "ann")
    expiring, _ = token_of(api, "ann", expires_at=api.behind.now + HOUR)
    third, _ = token_of(api, "ann")
    assert {ask(api, each, "GET", "/runs")[0] for each in (revoked, expiring, third)} == {200}
    api.call(lambda: services.gate.ask(RevokeToken(ROOT, token.id, api.behind.clock())))
    status, document = ask(api, revoked, "GET", "/runs")
    assert status == 401
    assert document["error"]["message"] == f"this token ({token.id}) was revoked"
    assert "tokens create --for ann" in document["error"]["hint"]
    api.behind.now += HOUR
    assert "has expired" in ask(api, expiring, "GET", "/runs")[1]["error"]["message"]
    change = ChangePrincipal(ROOT, "ann", api.behind.clock(), disabled=True)
    api.call(lambda: services.gate.ask(change))
    assert ask(api, third, "GET", "/runs")[1]["error"]["message"] == "ann is disabled here"


def test_a_viewer_looks_and_changes_nothing(api: Api) -> None:
    api.apply()
    run = api.run()
    someone(api, "ann", Grant(Role.VIEWER))
    text, _ = token_of(api, "ann")
    for path in ("/runs", "/jobs", f"/runs/{run}", f"/runs/{run}/log", "/status", "//metrics"):
        answer = api.ask("GET", path, headers={"Authorization": f"Bearer {text}"})
        assert answer.status == 200, path
    for path in ("/runs", "/jobs:apply", f"/runs/{run}:cancel", "/secrets/key:addVersion"):
        status, document = ask(api, text, "POST", path, {"rubbish": 1})
        assert status == 403, path  # before anybody looks at the body
        error = document["error"]
        assert error["status"] == "PERMISSION_DENIED"
        assert error["message"].startswith(
            "you are ann, and your role in any environment is viewer"
        )
        assert "an admin can give it" in error["hint"]


def test_a_role_counts_in_its_environment_only(api: Api) -> None:
    api.apply()
    run = api.run()
    someone(api, "ann", Grant(Role.OPERATOR, "elsewhere"))
    text, _ = token_of(api, "ann")
    assert ask(api, text, "GET", "/runs")[1]["runs"] == []
    assert ask(api, text, "GET", "/jobs?environment=elsewhere")[0] == 200
    refused = [
        ("GET", "/jobs", None),
        ("GET", "/jobs/report", None),
        ("GET", f"/runs/{run}", None),
        ("GET", f"/runs/{run}/history", None),
        ("GET", f"/runs/{run}/tasks", None),
        ("GET", f"/runs/{run}/log", None),
        ("GET", f"/runs/{run}/events", None),
        ("POST", f"/runs/{run}:cancel", {}),
        ("POST", "/runs", {"job": "report"}),
    ]
    for method, path, body in refused:
        status, document = ask(api, text, method, path, body)
        assert status == 403, path
        assert "in environment local" in document["error"]["message"]


def test_a_token_leaves_out_what_its_scope_says(api: Api) -> None:
    api.apply()
    someone(api, "ann", Grant(Role.ADMIN))
    text, _ = token_of(api, "ann", scope=Scope(Role.VIEWER))
    status, document = ask(api, text, "POST", "/runs", {"job": "report"})
    assert status == 403
    assert "which this token leaves out" in document["error"]["message"]
    elsewhere, _ = token_of(api, "ann", scope=Scope(Role.ADMIN, ("elsewhere",)))
    assert ask(api, elsewhere, "GET", "/jobs")[0] == 403


_FREE = "environments: {local: {}}\n"


def guarded(api: Api, guards: str) -> None:
    """Give the environment guards."""
    text = f"project: shop\nenvironments: {{local: {{{guards}}}}}\n"
    api.post("/environments:apply", {"files": [{"name": "runyard.yaml", "text": text}]})


def test_only_those_who_are_named_run_things(api: Api) -> None:
    api.apply()
    guarded(api, "allow: {run: [bob]}")
    answer = api.ask("POST", "/runs", {"job": "report"})
    assert answer.error["message"].startswith("you are admin, who is not among those who may run")


def test_guards_of_an_environment_hold_changes_up(api: Api) -> None:
    api.apply()
    guarded(api, "freeze: [{from: 2026-01-01T00:00:00Z, until: 2027-01-02T00:00:00Z}]")
    files = [{"name": "runyard.yaml", "text": MANIFEST}]
    answer = api.ask("POST", "/jobs:apply", {"files": files})
    assert answer.status == 403
    assert answer.error["message"].startswith("local is frozen until 2027-01-02T00:00:00Z")
    api.run()
    again = {"files": [{"name": "runyard.yaml", "text": f"project: shop\n{_FREE}"}]}
    assert api.ask("POST", "/environments:apply", again).status == 403  # this is a change, too


def test_who_is_denied_while_following_a_run_is_told_nothing_more(api: Api) -> None:
    api.apply()
    run = api.run()
    someone(api, "ann", Grant(Role.VIEWER))
    text, token = token_of(api, "ann")
    connection = api.connect()
    connection.request(
        "GET", f"/api/v1/runs/{run}/events", headers={"Authorization": f"Bearer {text}"}
    )
    reply = connection.getresponse()
    assert reply.readline() == b"retry: 1000\n"
    services = api.behind.services
    api.call(lambda: services.gate.ask(RevokeToken(ROOT, token.id, api.behind.clock())))
    api.post(f"/runs/{run}:cancel", {})  # something happens, of which ann hears no word
    rest = reply.read()
    assert b"event: end" not in rest
    assert b"stopping" not in rest
