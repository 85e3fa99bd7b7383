"""What channels send: within every limit of the far side, whatever the notice holds."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.channel.declared import mail, pagerduty, slack, webhook
from runyard.model.channels import Email
from runyard.model.errors import ChannelError
from runyard.model.notice import Notice, NoticeKind, Severity
from tests.support.channels import KEY, ROUTING_KEY, PagerDutySide, Taken, receiver
from tests.support.channels import slack as slack_judges
from tests.support.notices import AT, make_notice

EMAIL = Email.model_validate(
    {"host": "mail.example.com", "from": "runyard@example.com", "to": ("ops@example.com",)}
)
TEXTS = st.one_of(
    st.text(max_size=200),
    st.sampled_from(["", "&" * 9_000, "x" * 9_000, "<!channel>", "a\r\nBcc: you@example.com"]),
)
NOTICES = st.builds(
    make_notice,
    key=st.text(min_size=1, max_size=400),
    title=TEXTS.filter(bool),
    text=TEXTS,
    kind=st.sampled_from(NoticeKind),
    severity=st.sampled_from(Severity),
    thread=st.text(max_size=400),
    link=st.sampled_from(["", "https://example.com/" + "x" * 4000, "https://example.com/a?b='c'"]),
    details=st.sampled_from([(), (("<a>", "b" * 5000),), (("n", "v"),) * 60]),
)


@given(NOTICES)
def test_slack_takes_every_message(notice: Notice) -> None:
    message = slack.message(notice)
    body = json.dumps(message).encode()
    assert slack_judges(Taken("/services/T0/B0/x", {}, body))[:2] == (200, "ok")
    read = [message["text"], *(one for block in message["blocks"] for one in _marked(block))]
    assert not [text for text in read if "<!" in text]


def _marked(block: dict[str, Any]) -> list[str]:
    """The texts of a block that Slack reads for marks."""
    texts = (
        [block["text"], *block.get("fields", ())] if "text" in block else block.get("fields", [])
    )
    return [one["text"] for one in texts if one["type"] == "mrkdwn"]


@given(NOTICES)
def test_pagerduty_takes_every_event(notice: Notice) -> None:
    event = pagerduty.event(notice, ROUTING_KEY)
    status, said, _ = PagerDutySide().judge(Taken("/v2/enqueue", {}, json.dumps(event).encode()))
    assert status == 202, said


@given(NOTICES)
def test_a_mail_is_written_of_every_notice(notice: Notice) -> None:
    content = mail.written(EMAIL, notice).as_bytes()
    headers = content.partition(b"\r\n\r\n")[0]
    assert b"\nBcc" not in headers
    assert headers.count(b"\nTo: ") + headers.startswith(b"To: ") == 1


@given(NOTICES)
def test_who_has_the_key_can_tell_that_a_webhook_is_ours(notice: Notice) -> None:
    body = webhook.body(notice)
    headers = webhook.signed(webhook.message_id(notice), AT, body, webhook.key_of(KEY))
    assert receiver(Taken("/", headers, body))[0] == 200
    assert receiver(Taken("/", headers, body + b" "))[0] == 401
    later = {**headers, "webhook-timestamp": "1"}
    assert receiver(Taken("/", later, body))[0] == 401


def test_a_signature_is_the_one_of_the_specification() -> None:
    """The example of the specification's own text and libraries."""
    key = webhook.key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    at = datetime.fromtimestamp(1614265330, UTC)
    headers = webhook.signed("msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}', key)
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_a_key_may_be_plain_text_but_not_short() -> None:
    assert webhook.key_of("a" * 24) == b"a" * 24
    for bad in ("short-one", "whsec_!!", "whsec_c2hvcnQ="):
        with pytest.raises(ChannelError) as caught:
            webhook.key_of(bad)
        assert bad not in caught.value.message + caught.value.hint
    plain = webhook.signed("m", AT, b"{}", b"k" * 24)["webhook-signature"]
    said = f"m.{int(AT.timestamp())}.{{}}".encode()
    expected = base64.b64encode(hmac.new(b"k" * 24, said, hashlib.sha256).digest()).decode()
    assert plain == f"v1,{expected}"


def test_what_is_told_of_one_incident_has_one_key_and_one_thread() -> None:
    opened, over = make_notice(), make_notice(key="inc_1/2", kind=NoticeKind.RESOLVED)
    triggered, resolved = (pagerduty.event(one, "k") for one in (opened, over))
    assert triggered["dedup_key"] == resolved["dedup_key"] == "runyard/inc_1"
    assert resolved == {
        "routing_key": "k", "event_action": "resolve", "dedup_key": "runyard/inc_1",
    }  # fmt: skip
    first, second = mail.written(EMAIL, opened), mail.written(EMAIL, over)
    assert first["References"] == second["References"]
    assert first["Message-ID"] != second["Message-ID"]
    assert mail.written(EMAIL, opened)["Message-ID"] == first["Message-ID"]
    assert first["Subject"] == "[ERROR] report failed"
    assert second["Subject"] == "[RESOLVED] report failed"


def test_what_is_about_no_incident_has_no_thread() -> None:
    notice = make_notice(thread="", kind=NoticeKind.ANNOUNCED)
    assert mail.written(EMAIL, notice)["References"] is None
    assert json.loads(webhook.body(notice))["type"] == "notice.announced"
    assert json.loads(webhook.body(make_notice()))["type"] == "incident.opened"
    assert pagerduty.dedup_key(notice) == "runyard/inc_1/1"


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://hooks.slack.com/services/T/B/x", True),
        ("http://127.0.0.1:80/x", True),
        ("http://localhost.example.com/x", False),
        ("http://hooks.slack.com/x", False),
        ("ftp://127.0.0.1/", False),
        ("https://[", False),
        ("xoxb-token", False),
    ],
)
def test_slack_is_told_over_tls_only(url: str, safe: bool) -> None:
    assert slack.is_safe(url) is safe


def test_severities_are_in_order() -> None:
    assert [one.rank for one in Severity] == [0, 1, 2, 3]
