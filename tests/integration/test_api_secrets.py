"""Secrets over HTTP: what can be done with them, and that no answer holds a value unasked."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runyard.database.port import Tx
from runyard.flow.audit import entry_of
from runyard.model.audit import AuditEntry
from runyard.model.principal import Grant, Role
from tests.integration.test_api_people import ask, someone, token_of
from tests.support.api_server import Api, serving

VALUE = b"canary-of-a-value-0123"
SENT = base64.b64encode(VALUE).decode()


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with serving(tmp_path) as started:
        yield started


def create(api: Api, name: str = "db", **more: Any) -> Any:
    return api.post("/secrets", {"name": name, "value_base64": SENT, **more})


def test_a_secret_has_a_life(api: Api) -> None:
    made = create(api, labels={"team": "data"})
    assert (made["version"], made["labels"], made["aliases"]) == (1, {"team": "data"}, {})
    assert api.get("/secrets/db") == made
    assert api.post("/secrets/db:addVersion", {"value_base64": SENT})["version"] == 2
    aliased = api.post("/secrets/db:setAlias", {"alias": "stable", "version": 1})
    assert aliased["aliases"] == {"stable": 1}
    labelled = api.post("/secrets/db:setLabels", {"labels": {}, "etag": aliased["etag"]})
    assert labelled["labels"] == {}
    stale = api.ask("POST", "/secrets/db:setLabels", {"labels": {}, "etag": made["etag"]})
    assert stale.status == 409
    assert stale.error["status"] == "ABORTED"
    states = {one["version"]: one["state"] for one in api.get("/secrets/db/versions")["versions"]}
    assert states == {1: "ENABLED", 2: "ENABLED"}
    assert api.post("/secrets/db/versions/latest:disable", {})["state"] == "DISABLED"
    assert api.ask("POST", "/secrets/db/versions/2:access").status == 412
    assert api.post("/secrets/db/versions/2:enable", {})["state"] == "ENABLED"
    assert api.post("/secrets/db/versions/stable:destroy", {})["version"] == 1
    assert api.ask("POST", "/secrets/db/versions/1:enable").status == 412
    assert api.post("/secrets/db:setAlias", {"alias": "stable"})["aliases"] == {}
    gone = api.ask("DELETE", "/secrets/db")
    assert gone.status == 200
    assert api.ask("GET", "/secrets/db").status == 404
    assert api.get("/secrets") == {"secrets": []}


def test_a_value_is_given_to_who_asks_and_that_is_recorded(api: Api) -> None:
    create(api)
    answer = api.ask("POST", "/secrets/db/versions/latest:access")
    assert base64.b64decode(answer.document["value_base64"]) == VALUE
    assert answer.headers["cache-control"] == "no-store"
    assert api.ask("POST", "/secrets/db/versions/7:access").status == 404
    second, first = api.get("/secrets:accesses")["accesses"]
    assert (first["secret"], first["version"], first["found"]) == ("db", "latest", 1)
    assert (first["member"], first["outcome"]) == ("user:admin", "granted")
    assert (second["version"], second["outcome"], second["found"]) == ("7", "missing", 0)


def test_accesses_come_in_pages(api: Api) -> None:
    create(api)
    for _ in range(3):
        api.post("/secrets/db/versions/1:access", {})
    page = api.get("/secrets:accesses?name=db&page_size=2")
    assert len(page["accesses"]) == 2
    rest = api.get(f"/secrets:accesses?name=db&page_size=2&before={page['next_before']}")
    assert len(rest["accesses"]) == 1
    assert rest["next_before"] is None
    numbers = [one["number"] for one in [*page["accesses"], *rest["accesses"]]]
    assert numbers == sorted(numbers, reverse=True)
    assert api.get("/secrets:accesses?name=other")["accesses"] == []


def test_environments_have_secrets_of_their_own(api: Api) -> None:
    create(api)
    made = api.post("/secrets?environment=dev", {"name": "db", "value_base64": SENT})
    assert made["environment"] == "dev"
    assert api.ask("DELETE", "/secrets/db?environment=dev").status == 200
    assert [one["environment"] for one in api.get("/secrets")["secrets"]] == ["local"]


def test_readers_are_granted_and_revoked(api: Api) -> None:
    create(api)
    member = {"member": "user:bea"}
    for _ in range(2):
        assert api.post("/secrets/db:grant", member) == {"name": "db", "readers": ["user:bea"]}
    assert api.get("/secrets/db/readers")["readers"] == ["user:bea"]
    for _ in range(2):
        assert api.post("/secrets/db:revoke", member)["readers"] == []
    nobody = {"member": "serviceAccount:nobody@shop.iam.gserviceaccount.com"}
    refused = api.ask("POST", "/secrets/db:grant", nobody)
    assert refused.status == 404
    assert "no service account nobody@" in refused.error["message"]
    for path in ("/secrets/other:grant", "/secrets/other:revoke"):
        assert api.ask("POST", path, member).status == 404
    assert api.ask("GET", "/secrets/other/readers").status == 404


def test_a_new_key_takes_over_while_the_server_works(api: Api) -> None:
    create(api)
    first = api.post("/secrets:rotateKey", {})
    second = api.post("/secrets:rotateKey", {})
    assert (first["sealed"], first["left"]) == (1, 0)
    assert second["retired"] == first["key"]
    answer = api.post("/secrets/db/versions/1:access", {})
    assert base64.b64decode(answer["value_base64"]) == VALUE


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/secrets", {"name": "a b", "value_base64": SENT}),
        ("POST", "/secrets", {"name": "a", "value_base64": VALUE.decode()}),
        ("POST", "/secrets", {"name": "a", "labels": {"A": "b"}}),
        ("POST", "/secrets", {"name": "a", "labels": {f"l{n}": "" for n in range(65)}}),
        ("POST", "/secrets/db:setAlias", {"alias": "latest", "version": 1}),
        ("POST", "/secrets/db:setAlias", {"alias": "x", "version": 0}),
        ("POST", "/secrets/db:grant", {"member": "bea"}),
        ("POST", "/secrets/db/versions/0:access", None),
        ("POST", "/secrets/db/versions/a%20b:enable", None),
        ("GET", "/secrets/db%20a", None),
        ("GET", "/secrets:accesses?before=0", None),
        ("DELETE", "/secrets/db?force=perhaps", None),
    ],
)
def test_what_does_not_fit_is_refused(api: Api, method: str, path: str, body: Any) -> None:
    create(api)
    answer = api.ask(method, path, body)
    assert answer.status == 400
    assert answer.error["status"] == "INVALID_ARGUMENT"
    assert VALUE not in answer.content
    assert SENT.encode() not in answer.content
    assert [one["name"] for one in api.get("/secrets")["secrets"]] == ["db"]


def test_no_answer_holds_a_value_unasked(api: Api) -> None:
    create(api)
    answers = [
        api.ask("GET", "/secrets"),
        api.ask("GET", "/secrets/db"),
        api.ask("GET", "/secrets/db/versions"),
        api.ask("GET", "/secrets/db/readers"),
        api.ask("POST", "/secrets", {"name": "db", "value_base64": SENT}),
        api.ask("POST", "/secrets/db:addVersion", {"value_base64": SENT}),
        api.ask("POST", "/secrets/db/versions/1:disable"),
        api.ask("POST", "/secrets/db/versions/1:access"),
        api.ask("POST", "/secrets:rotateKey", {}),
        api.ask("GET", "/secrets:accesses"),
    ]
    for answer in answers:
        assert VALUE not in answer.content
        assert SENT.encode() not in answer.content


# -- who may -------------------------------------------------------------------------------------
def test_an_administrator_reads_every_secret_and_others_what_they_were_granted(api: Api) -> None:
    create(api)
    create(api, "other")
    for name, role in (("vic", Role.VIEWER), ("olga", Role.OPERATOR), ("ada", Role.ADMIN)):
        someone(api, name, Grant(role))
    tokens = {name: token_of(api, name)[0] for name in ("vic", "olga", "ada")}
    path = "/secrets/{}/versions/latest:access"
    for name, status in (("vic", 403), ("olga", 403), ("ada", 200)):
        assert ask(api, tokens[name], "POST", path.format("db"))[0] == status
    api.post("/secrets/db:grant", {"member": "user:vic"})
    assert ask(api, tokens["vic"], "POST", path.format("db"))[0] == 200
    status, document = ask(api, tokens["vic"], "POST", path.format("other"))
    assert status == 403
    assert document["error"]["status"] == "PERMISSION_DENIED"
    assert "user:vic may not read secret other" in document["error"]["message"]
    found = [(one["member"], one["outcome"]) for one in api.get("/secrets:accesses")["accesses"]]
    assert found == [
        ("user:vic", "denied"),
        ("user:vic", "granted"),
        ("user:ada", "granted"),
        ("user:olga", "denied"),
        ("user:vic", "denied"),
    ]


def test_only_an_administrator_changes_secrets_and_only_where_they_are_one(api: Api) -> None:
    create(api)
    someone(api, "olga", Grant(Role.OPERATOR))
    someone(api, "dave", Grant(Role.ADMIN, "dev"))
    changes = [
        ("POST", "/secrets", {"name": "new"}),
        ("POST", "/secrets/db:addVersion", {"value_base64": SENT}),
        ("POST", "/secrets/db:setLabels", {"labels": {}}),
        ("POST", "/secrets/db:setAlias", {"alias": "a", "version": 1}),
        ("POST", "/secrets/db:grant", {"member": "user:olga"}),
        ("POST", "/secrets/db:revoke", {"member": "user:olga"}),
        ("POST", "/secrets/db/versions/1:disable", None),
        ("POST", "/secrets/db/versions/1:enable", None),
        ("POST", "/secrets/db/versions/1:destroy", None),
        ("DELETE", "/secrets/db", None),
        ("POST", "/secrets:rotateKey", {}),
    ]
    before = api.get("/secrets/db"), api.get("/secrets/db/versions")
    for name in ("olga", "dave"):
        token, _ = token_of(api, name)
        for method, path, body in changes:
            assert ask(api, token, method, path, body)[0] == 403, (name, path)
    assert (api.get("/secrets/db"), api.get("/secrets/db/versions")) == before
    token, _ = token_of(api, "dave")
    body = {"name": "db", "value_base64": SENT}
    assert ask(api, token, "POST", "/secrets?environment=dev", body)[0] == 200
    assert ask(api, token, "GET", "/secrets")[0] == 403


def test_every_change_is_in_the_audit_log_without_a_value(api: Api) -> None:
    create(api, labels={"team": "data"})
    api.post("/secrets/db:addVersion", {"value_base64": SENT})
    api.post("/secrets/db:setLabels", {"labels": {}})
    api.post("/secrets/db:setAlias", {"alias": "a", "version": 1})
    api.post("/secrets/db:grant", {"member": "user:vic"})
    api.post("/secrets/db:revoke", {"member": "user:vic"})
    for verb in ("disable", "enable", "destroy"):
        api.post(f"/secrets/db/versions/1:{verb}", {})
    api.ask("DELETE", "/secrets/db")
    api.post("/secrets:rotateKey", {})
    assert api.ask("POST", "/secrets/none:addVersion", {"value_base64": SENT}).status == 404
    entries = [entry for entry in audited(api) if entry.action.startswith("secret.")]
    assert [entry.action.removeprefix("secret.") for entry in entries] == [
        "create", "add-version", "set-labels", "set-alias", "grant", "revoke",
        "disable-version", "enable-version", "destroy-version", "delete", "rotate-key",
    ]  # fmt: skip
    assert {entry.by for entry in entries} == {"admin"}
    assert entries[0].environment == "local"
    assert entries[0].target == "secret/db"
    assert (entries[0].after or {})["labels"] == {"team": "data"}
    assert (entries[9].before or {})["version"] == 2
    assert entries[9].after is None
    assert SENT not in str(entries)
    assert VALUE.decode() not in str(entries)


def audited(api: Api) -> list[AuditEntry]:
    """The audit log, oldest first."""
    services = api.behind.services

    async def work(tx: Tx) -> list[AuditEntry]:
        return [entry_of(link) for link in await services.store.audit.following(tx, 0, 1000)]

    return api.call(lambda: services.database.read(work))
