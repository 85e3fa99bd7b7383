"""Webhooks over HTTP: called by senders who sign, and by others; what is kept of that."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from runyard.gate.firing import PauseTrigger, ResumeTrigger
from runyard.model.principal import Grant, Role
from tests.integration.test_api_people import someone, token_of
from tests.support.api_server import Answer, Api, serving
from tests.support.issuer import issuing

SECRET = b"It's a Secret to Everybody"
MANIFEST = """\
project: shop
jobs:
  report:
    template: {template: {containers: [{image: example.com/report, command: ["true"]}]}}
    triggers:
      - name: push
        webhook: {kind: github, secret: hook}
        filter: headers.x-github-event != issues
        maxBody: 1Ki
        map:
          args: [--ref, {from: body.ref}]
          env: {WHO: {from: body.pusher.name, default: nobody}}
        with: {labels: {by: hook}, priority: 3}
      - name: lab
        webhook: {kind: gitlab, secret: hook}
      - name: chat
        webhook: {kind: slack, secret: hook}
        key: body.event_id
      - name: any
        webhook: {kind: hmac, secret: hook, header: X-Signature, timestampHeader: X-Time}
      - name: bare
        webhook: {kind: hmac, secret: nowhere, header: X-Signature}
      - {name: daily, schedule: "@daily"}
"""
HOOK = "shop/local/report/push"


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with serving(tmp_path) as started:
        secret = {"name": "hook", "value_base64": base64.b64encode(SECRET).decode()}
        started.post("/secrets", secret)
        started.apply(MANIFEST)
        yield started


def send(api: Api, hook: str, content: bytes, **headers: str) -> Answer:
    """A call, with no token of ours."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return api.ask("POST", f"//hooks/{hook}", content, {"Authorization": ""} | named)


def signed(content: bytes, secret: bytes = SECRET) -> str:
    return f"sha256={hmac.digest(secret, content, 'sha256').hex()}"


def push(api: Api, body: Any, hook: str = HOOK, secret: bytes = SECRET, **headers: str) -> Answer:
    """A call as GitHub makes one."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    usual = {
        "Content_Type": "application/json",
        "X_GitHub_Event": "push",
        "X_Hub_Signature_256": signed(content, secret),
    }
    return send(api, hook, content, **usual | headers)


def deliveries(api: Api, query: str = "") -> list[dict[str, Any]]:
    api.call(api.behind.services.hooks.doubts.settled)
    found: list[dict[str, Any]] = api.get(f"/deliveries{query}")["deliveries"]
    return found


def test_a_call_becomes_a_run_with_what_it_brought(api: Api) -> None:
    answer = push(api, {"ref": "refs/heads/main"}, X_GitHub_Delivery="72d3162e")
    assert answer.status == 202
    called = answer.document
    assert (called["fate"], called["again"], called["reason"]) == ("accepted", False, "")
    [run] = called["runs"]
    assert run["url"] == f"{api.url}/api/v1/runs/{run['id']}"
    found = api.get(f"/runs/{run['id']}")
    assert found["trigger"] == "webhook"
    assert found["requested_by"] == HOOK
    assert found["labels"] == {"by": "hook"}
    assert found["overrides"]["args"] == ["--ref", "refs/heads/main"]
    env = {"RUNYARD_DELIVERY": called["delivery"], "WHO": "nobody"}
    assert found["overrides"]["env"] == env
    [kept] = deliveries(api)
    assert (kept["id"], kept["hook"], kept["key"]) == (called["delivery"], HOOK, "72d3162e")
    assert (kept["fate"], kept["runs"], kept["count"]) == ("accepted", [run["id"]], 1)
    assert kept["headers"]["x-github-event"] == "push"
    assert not {"x-hub-signature-256", "authorization"} & kept["headers"].keys()
    assert kept["address"] == "127.0.0.1"


def test_what_comes_again_is_taken_once(api: Api) -> None:
    first = push(api, {"ref": "a"}, X_GitHub_Delivery="1").document
    second = push(api, {"ref": "a"}, X_GitHub_Delivery="1")
    assert second.status == 200
    assert second.document == first | {"again": True}
    assert push(api, {"ref": "a"}, X_GitHub_Delivery="2").status == 202
    assert push(api, {"ref": "a"}).status == 202  # nothing tells it apart
    assert len(api.get("/runs")["runs"]) == 3
    metrics = api.ask("GET", "//metrics").content.decode()
    assert 'runyard_webhook_deliveries_total{fate="accepted"} 3.0' in metrics
    assert 'runyard_webhook_deliveries_total{fate="again"} 1.0' in metrics
    assert [one["count"] for one in deliveries(api)] == [1, 1, 2]


def test_who_does_not_prove_it_hears_nothing_and_is_counted(api: Api) -> None:
    forged = push(api, {"ref": "a"}, secret=b"another")
    bare = send(api, HOOK, b"{}")
    assert forged.status == bare.status == 401
    assert forged.error == bare.error
    assert forged.error["message"] == "this is not accepted"
    assert (forged.error["hint"], forged.error["details"]) == ("", [])
    [kept] = deliveries(api)
    assert (kept["fate"], kept["count"]) == ("doubted", 2)
    assert kept["reason"] == "it has no signature (x-hub-signature-256)"
    assert (kept["runs"], kept["headers"]) == ([], {})
    assert api.get("/runs")["runs"] == []
    again = api.ask("POST", f"/deliveries/{kept['id']}:redeliver")
    assert again.status == 412
    content = api.post(f"/deliveries/{kept['id']}:content", {})
    assert content["content_base64"] == ""


@pytest.mark.parametrize(
    "hook",
    ["shop/local/report/no", "shop/local/report/daily", "shop/local/x/push", "SHOP/local/a/%00"],
)
def test_there_is_no_webhook_but_those(api: Api, hook: str) -> None:
    answer = push(api, {"ref": "a"}, hook=hook)
    assert answer.status == 404
    assert answer.error["message"] == "there is no such webhook"
    assert api.ask("GET", f"/hooks/{hook}").status == 404
    assert deliveries(api) == []


def test_what_the_filter_leaves_out_starts_nothing(api: Api) -> None:
    answer = push(api, {"ref": "a"}, X_GitHub_Event="issues", X_GitHub_Delivery="1")
    assert answer.status == 200
    assert answer.document["fate"] == "filtered"
    assert answer.document["reason"] == "the filter leaves it out"
    ping = push(api, {"zen": "Design for failure."}, X_GitHub_Event="ping")
    assert (ping.status, ping.document["reason"]) == (200, "it is GitHub's ping")
    assert api.get("/runs")["runs"] == []
    assert [one["fate"] for one in deliveries(api, "?fate=filtered")] == ["filtered"] * 2


def test_what_does_not_fit_is_refused_and_may_come_again(api: Api) -> None:
    answer = push(api, {"pusher": {"name": ["ann"]}}, X_GitHub_Delivery="1")
    assert answer.status == 400
    faults = {one["path"]: one["expected"] for one in answer.error["details"]}
    assert faults["body.pusher.name"] == "a text, a number, true or false"
    assert faults["body.ref"] == "a text, a number, true or false"
    broken = push(api, b"{", X_GitHub_Delivery="1")
    assert broken.error["details"][0]["expected"] == "JSON, as its Content-Type says"
    good = push(api, {"ref": "b"}, X_GitHub_Delivery="1")
    assert good.status == 202
    kept, unkeyed = deliveries(api)[1], deliveries(api)[0]
    assert (unkeyed["fate"], unkeyed["key"]) == ("refused", "")
    assert (kept["fate"], kept["count"], kept["id"]) == ("accepted", 2, good.document["delivery"])
    content = api.post(f"/deliveries/{kept['id']}:content", {})["content_base64"]
    assert base64.b64decode(content) == b'{"ref": "b"}'


def test_what_is_too_large_is_refused(api: Api) -> None:
    answer = push(api, b" " * 1025)
    assert answer.status == 413
    assert answer.error["details"][0]["expected"] == "at most 1Ki"
    [kept] = deliveries(api)
    assert (kept["fate"], kept["reason"]) == ("doubted", "it is larger than 1Ki")


def test_two_versions_of_a_secret_hold_until_one_is_disabled(api: Api) -> None:
    assert push(api, {"ref": "a"}).status == 202
    api.behind.now += timedelta(seconds=2)
    new = base64.b64encode(b"new\n").decode()
    api.post("/secrets/hook:addVersion", {"value_base64": new})
    assert push(api, {"ref": "a"}, secret=b"new").status == 202
    assert push(api, {"ref": "a"}).status == 202
    api.post("/secrets/hook/versions/1:disable", {})
    api.behind.now += timedelta(seconds=31)
    assert push(api, {"ref": "a"}).status == 401
    assert push(api, {"ref": "a"}, secret=b"new").status == 202
    readers = {one["member"] for one in api.get("/secrets:accesses")["accesses"]}
    assert readers == {"user:webhooks"}


def test_a_secret_that_proves_who_calls_is_not_deleted_by_mistake(api: Api) -> None:
    refused = api.ask("DELETE", "/secrets/hook")
    assert refused.status == 412
    assert refused.error["message"].startswith("secret hook proves who calls webhooks: shop/local/")
    api.post("/secrets", {"name": "other", "value_base64": "eA=="})
    assert api.ask("DELETE", "/secrets/other").status == 200
    assert api.ask("DELETE", "/secrets/hook?force=true").status == 200
    assert push(api, {"ref": "a"}).status == 401


def test_gitlab_calls_with_its_token(api: Api) -> None:
    hook = "shop/local/report/lab"
    answer = send(api, hook, b"{}", X_Gitlab_Token=SECRET.decode(), Idempotency_Key="k")
    assert answer.status == 202
    assert send(api, hook, b"{}", X_Gitlab_Token="x").status == 401
    kept = deliveries(api, f"?hook={hook}&fate=accepted")
    assert [one["key"] for one in kept] == ["k"]
    assert SECRET.decode() not in json.dumps(api.get("/deliveries"))


def slack(api: Api, content: bytes, at: float | None = None, **headers: str) -> Answer:
    text = str(int(api.behind.now.timestamp() if at is None else at))
    digest = hmac.digest(SECRET, f"v0:{text}:".encode() + content, "sha256").hex()
    usual = {"X_Slack_Request_Timestamp": text, "X_Slack_Signature": f"v0={digest}"}
    return send(api, "shop/local/report/chat", content, **usual | headers)


def test_slack_asks_whose_address_it_is_and_sends_events(api: Api) -> None:
    asks = json.dumps({"type": "url_verification", "challenge": "3eZbrw1a"}).encode()
    answer = slack(api, asks, Content_Type="application/json")
    assert (answer.status, answer.document) == (200, {"challenge": "3eZbrw1a"})
    event = json.dumps({"event_id": "Ev1"}).encode()
    assert slack(api, event).status == 202
    assert slack(api, event, api.behind.now.timestamp() + 5).document["again"] is True
    assert slack(api, event, api.behind.now.timestamp() - 400).status == 401
    form = urlencode({"event_id": "Ev2", "command": "/deploy"}).encode()
    kind = "application/x-www-form-urlencoded"
    assert slack(api, form, Content_Type=kind).status == 202
    missing = slack(api, b"{}")
    assert missing.status == 400
    assert missing.error["details"][0]["path"] == "body.event_id"
    assert [one["fate"] for one in deliveries(api)] == [
        "refused",
        "accepted",
        "doubted",
        "accepted",
        "filtered",
    ]


def test_a_signed_time_keeps_what_was_seen_from_coming_again(api: Api) -> None:
    text = str(int(api.behind.now.timestamp()))
    digest = hmac.digest(SECRET, f"{text}.{{}}".encode(), "sha256").hex()

    def again() -> Answer:
        return send(api, "shop/local/report/any", b"{}", X_Signature=digest, X_Time=text)

    assert again().status == 202
    assert again().document["again"] is True
    api.behind.now += timedelta(minutes=6)
    assert again().status == 401


def test_without_its_secret_a_webhook_believes_nobody(api: Api) -> None:
    hook = "shop/local/report/bare"
    assert send(api, hook, b"{}", X_Signature=hmac.digest(b"", b"{}", "sha256").hex()).status == 401
    [kept] = deliveries(api)
    assert kept["reason"] == "there is no secret to prove it by"


def test_an_id_token_is_believed_of_who_is_listed(tmp_path: Path) -> None:
    with issuing() as issuer, serving(tmp_path) as api:
        issuer.new_key("k1")
        text = MANIFEST.replace("{kind: gitlab, secret: hook}", "SENDER").replace(
            "SENDER",
            "{kind: oidc, issuer: '" + issuer.url + "', audience: runyard-client, "
            "emails: [Ann@example.com], subjects: ['77']}",
        )
        api.apply(text)
        now = api.behind.now.timestamp()

        def call(token: str) -> int:
            return send(api, "shop/local/report/lab", b"{}", Authorization=f"Bearer {token}").status

        assert call(issuer.token(now, "k1")) == 202
        assert call(issuer.token(now, "k1", email="bob@example.com", sub="77")) == 202
        assert call(issuer.token(now, "k1", email="bob@example.com")) == 401
        assert call(issuer.token(now, "k1", email_verified=False)) == 401
        assert call(issuer.token(now, "k1", email=None)) == 401
        assert call(issuer.token(now, "k1", aud="another")) == 401
        assert call(issuer.token(now - 7200, "k1")) == 401
        assert call("a.b.c") == 401
        assert send(api, "shop/local/report/lab", b"{}").status == 401
        [doubted] = deliveries(api, "?fate=doubted")
        assert doubted["count"] == 7
        assert doubted["reason"] == "it has no ID token (authorization)"


def test_what_was_refused_is_brought_again_once_it_can_be(api: Api) -> None:
    key = ("shop", "local", "report", "push")
    services = api.behind.services
    api.call(lambda: services.gate.ask(PauseTrigger(key, "ann", api.behind.now, reason="busy")))
    refused = push(api, {"ref": "a"}, X_GitHub_Delivery="1")
    assert refused.status == 412
    assert refused.error["message"] == "the webhook is paused by ann"
    [kept] = deliveries(api)
    assert kept["fate"] == "refused"
    still = api.ask("POST", f"/deliveries/{kept['id']}:redeliver")
    assert still.status == 412
    zones = services.zones
    api.call(lambda: services.gate.ask(ResumeTrigger(key, "ann", api.behind.now, zones=zones)))
    assert api.get("/hooks")["hooks"][-1]["state"] == "enabled"
    again = api.ask("POST", f"/deliveries/{kept['id']}:redeliver")
    assert again.status == 202
    [run] = again.document["runs"]
    found = api.get(f"/runs/{run['id']}")
    assert found["requested_by"] == "admin"
    newest = deliveries(api)[0]
    assert (newest["redelivers"], newest["by"]) == (kept["id"], "admin")
    settled = api.get(f"/deliveries/{kept['id']}")
    assert (settled["fate"], settled["runs"]) == ("accepted", [run["id"]])
    assert settled["reason"] == (
        f"brought again by admin as {newest['id']}; before: the webhook is paused by ann"
    )
    retried = push(api, {"ref": "a"}, X_GitHub_Delivery="1")
    assert (retried.status, retried.document["runs"]) == (200, [run])
    second = api.ask("POST", f"/deliveries/{newest['id']}:redeliver")
    assert second.status == 202
    assert deliveries(api)[0]["redelivers"] == kept["id"]
    entries = api.get("/audit?action=delivery.redeliver")["entries"]
    assert [one["target"] for one in entries] == [f"delivery/{kept['id']}"] * 3
    assert api.ask("POST", "/deliveries/dlv_00000000000000000000000000:redeliver").status == 404


def test_hooks_are_listed_with_their_addresses(api: Api) -> None:
    listed = api.get("/hooks")["hooks"]
    assert [one["name"] for one in listed] == ["any", "bare", "chat", "lab", "push"]
    one = api.get(f"/hooks/{HOOK}")
    assert one == listed[-1]
    assert one["address"] == f"{api.url}/hooks/{HOOK}"
    assert (one["sender"], one["secret"], one["state"]) == ("github", "hook", "enabled")
    assert one["trigger"]["maxBody"] == "1Ki"
    assert api.get("/hooks?environment=dev") == {"hooks": []}


def test_deliveries_come_in_pages(api: Api) -> None:
    for number in range(5):
        push(api, {"ref": str(number)})
    first = api.get("/deliveries?page_size=2")
    second = api.get(f"/deliveries?page_size=2&page_token={first['next_page_token']}")
    last = api.get(f"/deliveries?page_size=2&page_token={second['next_page_token']}")
    ids = [one["id"] for page in (first, second, last) for one in page["deliveries"]]
    assert len(set(ids)) == 5
    assert ids == sorted(ids, reverse=True)
    assert last["next_page_token"] == ""
    assert api.get("/deliveries?environment=dev")["deliveries"] == []


def test_a_viewer_sees_what_came_and_not_what_was_in_it(api: Api) -> None:
    delivery = push(api, {"ref": "a"}).document["delivery"]
    someone(api, "vera", Grant(Role.VIEWER, "local"))
    api.token, _ = token_of(api, "vera")
    assert api.get(f"/deliveries/{delivery}")["fate"] == "accepted"
    assert len(api.get("/deliveries")["deliveries"]) == 1
    assert api.get("/hooks")["hooks"]
    assert api.ask("POST", f"/deliveries/{delivery}:content").status == 403
    assert api.ask("POST", f"/deliveries/{delivery}:redeliver").status == 403
    assert api.ask("GET", "/hooks?environment=dev").status == 403
    assert api.ask("GET", "/deliveries?environment=dev").status == 403


ODD = (
    b"", b"null", b"[]", b"3", rb'"\ud800"', rb'{"ref": "\u0000"}', b"[" * 900, b"\xff\xfe",
    b"payload=%7B", b"payload=null", b'{"ref": 1e400}', b'{"ref": 1' + b"0" * 400 + b"}",
    b'{"ref": "-x"}', b'{"ref": "a", "ref": "b"}',
)  # fmt: skip


def test_whatever_is_sent_is_answered_and_kept(api: Api) -> None:
    kinds = ("application/json", "application/x-www-form-urlencoded", "multipart/x")
    keys = ("", "x" * 300, "\u00e9", "'; DROP TABLE deliveries; --")
    for content, kind, key in product(ODD, kinds, keys):
        answer = push(api, content, Content_Type=kind, X_GitHub_Delivery=key)
        assert answer.status in (200, 202, 400), answer.content
    for one in deliveries(api, "?page_size=20"):
        again = api.ask("POST", f"/deliveries/{one['id']}:redeliver")
        assert again.status in (202, 400), again.content
