"""Deliveries brought again over HTTP, to a job that was changed meanwhile."""

from __future__ import annotations

import base64
from pathlib import Path

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
