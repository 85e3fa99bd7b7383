"""Channels and real far sides: what arrives, and each way in which it does not."""

from __future__ import annotations

import asyncio
import base64
import os
import socket
import ssl
import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from pydantic import TypeAdapter

from runyard.channel.declared.voices import RealVoices, trusted
from runyard.channel.log import LogChannel
from runyard.model.channels import ChannelSpec, SecretValue
from runyard.model.errors import ChannelError, ChannelRefused, NotFound, PlatformError
from runyard.model.notice import Notice, NoticeKind
from tests.support.certificates import Certified, certified
from tests.support.channels import (
    KEY,
    PASSWORD,
    ROUTING_KEY,
    FarSide,
    PagerDutySide,
    Taken,
    far_side,
    free_port,
    post,
    receiver,
    slack,
)
from tests.support.notices import AT, make_notice

SPEC: TypeAdapter[ChannelSpec] = TypeAdapter(ChannelSpec)


@dataclass
class Kept:
    """Secrets by name."""

    values: dict[str, str] = field(default_factory=dict)

    async def __call__(self, environment: str, value: SecretValue) -> str:
        """See `Secrets`."""
        if value.secret not in self.values:
            raise NotFound(f"there is no secret {value.secret}", hint="create it")
        return self.values[value.secret]


def clock() -> datetime:
    return AT


def told(
    spec: dict[str, Any],
    *notices: Notice,
    trust: ssl.SSLContext | None = None,
    **secrets: str,
) -> None:
    """Tell by a channel; raises what it raises."""

    async def scene() -> None:
        voices = RealVoices(Kept(secrets), clock, (lambda: trust) if trust else trusted)
        try:
            for notice in notices:
                await voices.send("prod", "ops", SPEC.validate_python(spec), notice)
        finally:
            voices.close()

    asyncio.run(scene())


def failed(spec: dict[str, Any], **more: Any) -> PlatformError:
    with pytest.raises(PlatformError) as caught:
        told(spec, make_notice(), **more)
    return caught.value


# -- Slack ---------------------------------------------------------------------------------------
SLACK = {"slack": {"url": {"secret": "url"}}}


def test_slack_gets_a_message_of_blocks() -> None:
    with far_side(slack) as side:
        told(SLACK, make_notice(), url=side.url("/services/T0/B0/x") + "\n")
    document = side.accepted[0].document
    assert document["text"] == ":red_circle: report failed"
    assert document["blocks"][0]["text"]["text"] == ":red_circle: report failed"
    assert document["blocks"][1]["text"]["text"] == "exit status 1 &amp; &lt;b&gt;worse&lt;/b&gt;"
    assert document["blocks"][-1]["elements"][0]["url"] == "https://runbooks.example.com/report"


def test_slack_asks_for_a_pause_and_gets_it() -> None:
    with far_side(slack) as side:
        side.answers = [(429, "rate_limited", {"Retry-After": "30"})]
        error = failed(SLACK, url=side.url("/services/T0/B0/x"))
    assert isinstance(error, ChannelError)
    assert (error.again_seconds, error.transient) == (30, True)
    assert error.message == "Slack answered 429: rate_limited"


@pytest.mark.parametrize(
    ("status", "text", "again", "kind"),
    [
        (500, "", "", ChannelError),
        (503, "", "Wed, 21 Oct 2026 07:28:00 GMT", ChannelError),
        (404, "no_service", "", ChannelError),
        (403, "action_prohibited", "", ChannelError),
        (302, "", "", ChannelError),
        (400, "invalid_blocks", "", ChannelRefused),
        (413, "", "999999999999", ChannelRefused),
    ],
)
def test_what_slack_answers_is_tried_again_or_never(
    status: int, text: str, again: str, kind: type[ChannelError]
) -> None:
    with far_side(slack) as side:
        more = {"Retry-After": again} if again else {}
        side.answers = [(status, text, more | {"Location": side.url("/elsewhere")})]
        error = failed(SLACK, url=side.url("/services/T0/B0/secret-part"))
    assert type(error) is kind
    assert error.transient is (kind is ChannelError)
    assert "secret-part" not in error.message + error.hint
    assert len(side.taken) == 1, "a redirect was followed"


def test_an_address_that_is_none_is_not_told() -> None:
    assert failed(SLACK, url="http://example.com/x").message == (
        "the secret of the channel holds no https:// URL"
    )


def test_a_secret_that_is_missing_may_come() -> None:
    error = failed(SLACK)
    assert isinstance(error, ChannelError)
    assert (error.message, error.hint, error.transient) == (
        "there is no secret url", "create it", True,
    )  # fmt: skip


def test_nobody_listens() -> None:
    error = failed(SLACK, url=f"http://127.0.0.1:{free_port()}/services/T0/B0/hidden")
    assert error.message == "no answer: Connection refused"
    assert error.transient


def test_who_answers_no_http_is_no_answer() -> None:
    with post(None) as server:
        error = failed(SLACK, url=f"http://127.0.0.1:{server.port}/services/T0/B0/hidden")
    assert error.message.startswith("no answer: ")
    assert "hidden" not in error.message


# -- PagerDuty -----------------------------------------------------------------------------------
def duty(side: FarSide) -> dict[str, Any]:
    spec = {"routingKey": {"secret": "key"}, "url": side.url("/v2/enqueue")}
    return {"pagerduty": spec}


def test_pagerduty_has_one_incident_for_one_of_ours() -> None:
    theirs = PagerDutySide()
    with far_side(theirs.judge) as side:
        opened, worse = make_notice(), make_notice(key="inc_1/2", kind=NoticeKind.WORSENED)
        seen = make_notice(key="inc_1/3", kind=NoticeKind.ACKNOWLEDGED)
        told(duty(side), opened, worse, worse, seen, key=ROUTING_KEY)
        assert theirs.incidents == {"runyard/inc_1": "acknowledged"}
        told(duty(side), make_notice(key="inc_1/4", kind=NoticeKind.RESOLVED), key=ROUTING_KEY)
        assert theirs.incidents == {"runyard/inc_1": "resolved"}
        assert theirs.triggers == 1
        told(duty(side), make_notice(kind=NoticeKind.ANNOUNCED), key=ROUTING_KEY)
        assert len(side.accepted) == 5
    payload = side.accepted[0].document["payload"]
    assert payload["severity"] == "error"
    assert payload["source"] == "prod/us-central1"
    assert payload["custom_details"]["run"] == "run_1"


def test_a_test_of_pagerduty_leaves_nothing_open() -> None:
    theirs = PagerDutySide()
    with far_side(theirs.judge) as side:
        told(duty(side), make_notice(thread="", kind=NoticeKind.TEST), key=ROUTING_KEY)
    assert list(theirs.incidents.values()) == ["resolved"]


def test_pagerduty_refuses_a_wrong_key_for_good_and_nobody_reads_it() -> None:
    with far_side(PagerDutySide().judge) as side:
        error = failed(duty(side), key="not-a-routing-key")
        assert isinstance(error, ChannelRefused)
        assert "'routing_key' is missing or invalid" in error.message
        assert "not-a-routing-key" not in error.message
        side.answers = [(429, "", {})]
        assert failed(duty(side), key=ROUTING_KEY).transient


# -- webhook -------------------------------------------------------------------------------------
def hook(side: FarSide) -> dict[str, Any]:
    return {"webhook": {"url": side.url("/hook"), "key": {"secret": "key"}}}


def test_a_webhook_is_signed_and_says_which_it_is() -> None:
    with far_side(receiver) as side:
        told(hook(side), make_notice(), make_notice(), key=KEY)
        first, second = side.accepted
        assert first.headers["webhook-id"] == second.headers["webhook-id"]
        assert first.document["type"] == "incident.opened"
        assert first.document["data"]["incident"] == "inc_1"
        other = "whsec_" + base64.b64encode(os.urandom(32)).decode()
        error = failed(hook(side), key=other)
    assert error.message == "the webhook answered 401: bad signature"
    assert error.transient


# -- mail ----------------------------------------------------------------------------------------
def email(port: int, **more: Any) -> dict[str, Any]:
    spec = {
        "host": "127.0.0.1",
        "port": port,
        "user": "alerts",
        "password": {"secret": "password"},
        "from": "runyard@example.com",
        "to": ("ops@example.com", "lead@example.com"),
    }
    return {"email": {name: value for name, value in (spec | more).items() if value}}


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Certified:
    return certified(tmp_path_factory.mktemp("certificates"))


def trusting(known: Certified) -> ssl.SSLContext:
    trust = trusted()
    trust.load_verify_locations(known.ca_file)
    return trust


def test_a_mail_arrives_over_starttls(known: Certified) -> None:
    with post(known) as server:
        told(email(server.port), make_notice(), trust=trusting(known), password=PASSWORD)
    (message,) = server.got
    assert server.to == ["ops@example.com", "lead@example.com"]
    assert message["Subject"] == "[ERROR] report failed"
    assert message["To"] == "ops@example.com, lead@example.com"
    assert message["Auto-Submitted"] == "auto-generated"
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    lines = plain.get_content().splitlines()
    assert lines[:3] == ["report failed", "", "exit status 1 & <b>worse</b>"]
    assert "run:         run_1" in lines
    assert lines[-1] == "https://runbooks.example.com/report"
    assert "exit status 1 &amp; &lt;b&gt;worse&lt;/b&gt;" in html.get_content()


@pytest.mark.parametrize(
    ("breaks", "words", "kind"),
    [
        ({"refuses": "554 refused, correct-horse"}, "answered 554", ChannelRefused),
        ({"refuses": "451 later"}, "answered 451", ChannelError),
        ({"refuses_to": "550 nobody"}, "takes no mail for lead@example.com, ops", ChannelRefused),
        ({"refuses_to": "450 busy"}, "takes no mail for lead@example.com, ops", ChannelError),
    ],
)
def test_a_server_takes_it_later_or_never(
    known: Certified, breaks: dict[str, str], words: str, kind: type[ChannelError]
) -> None:
    with post(known) as server:
        for name, value in breaks.items():
            setattr(server, name, value)
        error = failed(email(server.port), trust=trusting(known), password=PASSWORD)
    assert words in error.message
    assert type(error) is kind
    assert PASSWORD not in error.message


def test_a_password_that_is_wrong_may_be_mended(known: Certified) -> None:
    with post(known) as server:
        error = failed(email(server.port), trust=trusting(known), password="wrong-one")
    assert "does not take the user alerts with this password" in error.message
    assert "wrong-one" not in error.message
    assert error.transient


def test_a_certificate_that_does_not_hold_gets_no_password(known: Certified) -> None:
    with post(known) as server:
        error = failed(email(server.port), password=PASSWORD)
    assert "the certificate of 127.0.0.1" in error.message


def test_nothing_is_mailed_without_tls() -> None:
    with post(None) as server:
        error = failed(email(server.port, user=None, password=None))
        assert "offers no STARTTLS" in error.message
        assert server.got == []
    assert "Connection refused" in failed(email(free_port()), password=PASSWORD).message


def test_who_hangs_up_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def hang_up() -> None:
            listening.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        port = listening.getsockname()[1]
        error = failed(email(port), password=PASSWORD)
        thread.join()
    assert error.message.startswith(f"127.0.0.1, port {port}: ")
    assert error.transient


# -- all of them ---------------------------------------------------------------------------------
def test_a_channel_that_hangs_holds_up_itself_alone() -> None:
    """Two notices of one channel go one after the other; that of another one passes them."""
    order: list[str] = []
    goes_on = threading.Event()

    def hangs(one: Taken) -> tuple[int, str, dict[str, str]]:
        assert goes_on.wait(30)
        return receiver(one)

    async def scene(slow: FarSide, quick: FarSide) -> None:
        voices = RealVoices(Kept({"key": KEY}), clock, trusted)

        async def send(name: str, side: FarSide, key: str) -> None:
            notice, spec = make_notice(key=key), SPEC.validate_python(hook(side))
            await voices.send("prod", name, spec, notice)
            order.append(key)

        begun = [asyncio.create_task(send("slow", slow, key)) for key in ("first", "second")]
        await send("quick", quick, "other")
        assert len(slow.taken) < 2
        goes_on.set()
        await asyncio.gather(*begun)
        voices.close()

    with far_side(hangs) as slow, far_side(receiver) as quick:
        asyncio.run(scene(slow, quick))
    assert order == ["other", "first", "second"]


def test_the_log_is_told_of_what_nobody_else_is(caplog: pytest.LogCaptureFixture) -> None:
    asyncio.run(LogChannel().send(make_notice(run="")))
    assert caplog.messages == ["report failed: exit status 1 & <b>worse</b>"]
