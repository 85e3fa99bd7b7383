"""Channels over HTTP and on the command line: which there are, whether one works."""

from __future__ import annotations

from pathlib import Path

from runyard.model.errors import ChannelError
from runyard.model.notice import NoticeKind
from tests.support.api_server import Api, serving
from tests.support.channels import KeptVoices
from tests.unit.model.test_channels import TEXT


def voices(api: Api) -> KeptVoices:
    found = api.behind.services.voices
    assert isinstance(found, KeptVoices)
    return found


def applied(api: Api, text: str = TEXT) -> None:
    api.post("/environments:apply", {"files": [{"name": "runyard.yaml", "text": text}]})


def test_channels_are_listed_and_tried(tmp_path: Path) -> None:
    with serving(tmp_path) as api:
        applied(api)
        found = api.get("/channels?environment=prod")["channels"]
        assert [(one["name"], one["kind"]) for one in found] == [
            ("chat", "slack"), ("hook", "webhook"), ("mail", "email"), ("on-call", "pagerduty"),
        ]  # fmt: skip
        assert api.get("/channels") == {"channels": []}
        shown = api.get("/environments/prod")
        assert shown["channels"]["chat"] == "slack"
        assert shown["routes"][1]["hours"]["timeZone"] == "UTC"
        done = api.post("/channels/chat:test?environment=prod", {})
        assert (done["name"], done["kind"], done["project"]) == ("chat", "slack", "shop")
        ((environment, name, notice),) = voices(api).told
        assert (environment, name, notice.kind) == ("prod", "chat", NoticeKind.TEST)
        assert "admin asked" in notice.text


def test_a_channel_that_does_not_work_says_why(tmp_path: Path) -> None:
    with serving(tmp_path) as api:
        applied(api)
        voices(api).fails["chat"] = [ChannelError("Slack answered 404: no_service", hint="look")]
        answer = api.ask("POST", "/channels/chat:test?environment=prod", {})
        assert answer.status == 503
        assert "no_service" in answer.error["message"]
        answer = api.ask("POST", "/channels/none:test?environment=prod", {})
        assert answer.status == 404
        applied(api, TEXT.replace("project: shop", "project: bank"))
        answer = api.ask("POST", "/channels/chat:test?environment=prod", {})
        assert answer.status == 412
        assert "bank, shop" in answer.error["message"]
        api.post("/channels/chat:test?environment=prod&project=bank", {})


def test_a_route_to_nowhere_is_refused(tmp_path: Path) -> None:
    with serving(tmp_path) as api:
        text = TEXT.replace("to: [chat]", "to: [chta]")
        files = {"files": [{"name": "runyard.yaml", "text": text}]}
        answer = api.ask("POST", "/environments:apply", files)
        assert answer.status == 400
        assert "environments.prod.routes[1].to[0]" in str(answer.error)
        assert "did you mean 'chat'?" in str(answer.error)
