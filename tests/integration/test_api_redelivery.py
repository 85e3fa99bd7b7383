"""Deliveries brought again over HTTP, to a job that was changed meanwhile."""

from __future__ import annotations

import base64
from pathlib import Path

from runyard.model.delivery import Delivery, DeliveryFate
from runyard.model.ids import DeliveryId, stamped
from tests.integration.test_api_hooks import MANIFEST, SECRET, deliveries, push
from tests.support.api_server import Api, serving


def test_a_delivery_is_brought_again_to_the_job_as_it_was(tmp_path: Path) -> None:
    with serving(tmp_path) as api:
        secret = {"name": "hook", "value_base64": base64.b64encode(SECRET).decode()}
        api.post("/secrets", secret)
        api.apply(MANIFEST)
        _bring_again(api)


def _bring_again(api: Api) -> None:
    [first] = push(api, {"ref": "a"}).document["runs"]
    [kept] = deliveries(api)
    assert kept["revision"] == 1
    api.apply(MANIFEST.replace("--ref", "--now"))
    path = f"/deliveries/{kept['id']}:redeliver"
    [now] = api.post(path, {}, 202)["runs"]
    [then] = api.post(path, {"as_it_was": True}, 202)["runs"]
    runs = [api.get(f"/runs/{one['id']}") for one in (first, now, then)]
    assert [run["revision"] for run in runs] == [1, 2, 1]
    words = [run["overrides"]["args"][0] for run in runs]
    assert words == ["--ref", "--now", "--ref"]
    assert [one["revision"] for one in deliveries(api)] == [1, 2, 1]
    entries = api.get("/audit?action=delivery.redeliver")["entries"]
    assert [one["after"]["revision"] for one in entries] == [1, 2]
    assert api.ask("POST", path, {"as_it_was": "yes"}).status == 400


def test_one_that_waits_for_others_is_not_brought_again(tmp_path: Path) -> None:
    with serving(tmp_path) as api:
        api.apply(MANIFEST)
        store, now = api.behind.services.store, api.behind.clock()
        path = "shop/local/report/event"
        identity = DeliveryId(stamped("dlv", now, 1))
        one = Delivery(identity, "local", path, "id/1", now, now, DeliveryFate.GATHERED)
        database = api.behind.services.database
        api.call(lambda: database.write(lambda tx: store.deliveries.put(tx, [(one, b"")])))
        answer = api.ask("POST", f"/deliveries/{one.id}:redeliver", {})
        assert answer.status == 412
        assert "waits for others" in answer.error["message"]
