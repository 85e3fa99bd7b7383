"""Who sent a request: the vendors' own examples, and that nothing near them is believed."""

from __future__ import annotations

import base64
import hmac
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.flow.webhook.proving import doubt, key_of, scheme_of, sender_key
from runyard.flow.webhook.reading import headers_of
from runyard.model.trigger.senders import AnySender
from runyard.model.trigger.webhook import WebhookSpec
from runyard.model.validation import read

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)


def sender(kind: str, **said: Any) -> AnySender:
    spec, complaints = read(WebhookSpec, {"webhook": {"kind": kind, "secret": "s", **said}})
    assert spec is not None, complaints
    found: AnySender = spec.webhook
    return found


GITHUB, GITLAB, SLACK = sender("github"), sender("gitlab"), sender("slack")
STANDARD, HMAC = sender("standard"), sender("hmac", header="X-Signature")
OIDC = read(
    WebhookSpec,
    {"webhook": {"kind": "oidc", "issuer": "https://i", "audience": "a", "subjects": ["s"]}},
)[0]

# https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries
GITHUB_SECRET, GITHUB_BODY = b"It's a Secret to Everybody", b"Hello, World!"
GITHUB_SIGNATURE = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
# https://docs.slack.dev/authentication/verifying-requests-from-slack
SLACK_SECRET = b"8f742231b10e8888abcd99yyyzzz85a5"
SLACK_BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
    b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554"
    b"%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121."
    b"803a0bc887a14d10d2c447fce8b6703c"
)
SLACK_HEADERS = {
    "x-slack-request-timestamp": "1531420618",
    "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
}
SLACK_AT = datetime.fromtimestamp(1531420618, UTC)
# The example of the Standard Webhooks' libraries.
STANDARD_SECRET, STANDARD_BODY = b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
STANDARD_HEADERS = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
STANDARD_AT = datetime.fromtimestamp(1614265330, UTC)
FORGED = "its signature does not hold"


def test_what_github_shows_is_believed() -> None:
    headers = {"x-hub-signature-256": GITHUB_SIGNATURE}
    assert doubt(GITHUB, [GITHUB_SECRET], headers, GITHUB_BODY, NOW) == ""
    assert doubt(GITHUB, [GITHUB_SECRET], headers, GITHUB_BODY + b"!", NOW) == FORGED
    assert doubt(GITHUB, [b"another"], headers, GITHUB_BODY, NOW) == FORGED
    bare = {"x-hub-signature-256": GITHUB_SIGNATURE.removeprefix("sha256=")}
    assert doubt(GITHUB, [GITHUB_SECRET], bare, GITHUB_BODY, NOW) == FORGED
    old = {"x-hub-signature": GITHUB_SIGNATURE}
    assert "no signature" in doubt(GITHUB, [GITHUB_SECRET], old, GITHUB_BODY, NOW)


def test_what_slack_shows_is_believed_for_five_minutes() -> None:
    def found(at: datetime, headers: dict[str, str] = SLACK_HEADERS) -> str:
        return doubt(SLACK, [SLACK_SECRET], headers, SLACK_BODY, at)

    assert found(SLACK_AT) == ""
    assert found(SLACK_AT + timedelta(seconds=300)) == ""
    assert found(SLACK_AT + timedelta(seconds=301)) == "it was sent 301 seconds ago"
    assert found(SLACK_AT - timedelta(seconds=301)) == "it was sent 301 seconds ahead of our clock"
    later = SLACK_HEADERS | {"x-slack-request-timestamp": "1531420619"}
    assert found(SLACK_AT, later) == FORGED


def test_what_standard_webhooks_show_is_believed() -> None:
    def found(signature: str, secret: bytes = STANDARD_SECRET) -> str:
        headers = STANDARD_HEADERS | {"webhook-signature": signature}
        return doubt(STANDARD, [secret], headers, STANDARD_BODY, STANDARD_AT)

    good = STANDARD_HEADERS["webhook-signature"]
    assert found(good) == ""
    assert found(f"v1,AAAA {good}") == ""
    assert found(f"v1a,AAAA {good}") == ""
    assert found(good.replace("v1,", "v2,")) == FORGED
    assert found(good, b"whsec_not base64") == "there is no secret to prove it by"
    assert found(f"{'v1,AAAA ' * 9}{good}") == ""
    assert found(f"{'v1,AAAA ' * 10}{good}") == FORGED
    assert found(f"{'v1,AAAA ' * 10}{good} v1,AAAA") == FORGED
    blanks = STANDARD_SECRET.replace(b"MfKQ", b"MfKQ ")
    assert found(good, blanks) == "there is no secret to prove it by"
    moved = STANDARD_HEADERS | {"webhook-id": "msg_another"}
    assert doubt(STANDARD, [STANDARD_SECRET], moved, STANDARD_BODY, STANDARD_AT) == FORGED


def test_what_standard_webhooks_show_is_believed_for_five_minutes() -> None:
    def found(seconds: float) -> str:
        at = STANDARD_AT + timedelta(seconds=seconds)
        return doubt(STANDARD, [STANDARD_SECRET], STANDARD_HEADERS, STANDARD_BODY, at)

    assert (found(300), found(-300)) == ("", "")
    assert found(301) == "it was sent 301 seconds ago"


def test_gitlabs_token_is_compared() -> None:
    assert doubt(GITLAB, [b"token"], {"x-gitlab-token": "token"}, b"", NOW) == ""
    assert doubt(GITLAB, [b"token"], {"x-gitlab-token": "Token"}, b"", NOW)
    assert doubt(GITLAB, [b"token"], {}, b"", NOW) == "its token is another one"
    assert doubt(GITLAB, [], {"x-gitlab-token": ""}, b"", NOW) == (
        "there is no secret to prove it by"
    )
    strange = headers_of([(b"X-Gitlab-Token", b"\xff")])
    assert doubt(GITLAB, [b"\xff"], strange, b"", NOW) == ""


@pytest.mark.parametrize("text", ["", "now", "-5", "٣", "1" * 16, "1.5"])
def test_a_time_that_is_none_is_not_believed(text: str) -> None:
    timed = sender("hmac", header="X-Signature", timestampHeader="X-Time")
    signature = hmac.digest(b"key", f"{text}.body".encode(), "sha256").hex()
    headers = {"x-signature": signature, "x-time": text}
    assert doubt(timed, [b"key"], headers, b"body", NOW) == (
        "it does not say when it was sent (x-time)"
    )


def test_a_time_may_be_in_milliseconds() -> None:
    timed = sender("hmac", header="X-Signature", timestampHeader="X-Time", tolerance="1s")
    text = str(int(NOW.timestamp() * 1000))
    signature = hmac.digest(b"key", f"{text}.body".encode(), "sha256").hex()
    headers = {"x-signature": signature, "x-time": text}
    assert doubt(timed, [b"key"], headers, b"body", NOW) == ""
    assert doubt(timed, [b"key"], headers, b"body", NOW + timedelta(seconds=2))


def test_the_edges_of_what_is_a_time() -> None:
    timed = sender("hmac", header="X-Signature", timestampHeader="X-Time", tolerance="1s")

    def found(text: str | None, at: float) -> str:
        signature = hmac.digest(b"key", f"{text or ''}.body".encode(), "sha256").hex()
        headers = {"x-signature": signature} | ({} if text is None else {"x-time": text})
        return doubt(timed, [b"key"], headers, b"body", datetime.fromtimestamp(at, UTC))

    assert found(None, 0) == "it does not say when it was sent (x-time)"
    assert found("000001614265330", 1614265330) == ""
    assert found("99999999999", 99_999_999_999) == ""
    assert found("100000000000", 100_000_000) == ""  # in milliseconds: 1973
    assert found("1614265330", 1614265331) == ""
    assert found("1614265330", 1614265331.1) == "it was sent 1 seconds ago"
    assert found("1614265330", 1614265328.9) == "it was sent 1 seconds ahead of our clock"


def test_bytes_that_are_no_text_are_signed_and_refused_as_they_are() -> None:
    raw = [(b"X-Signature", b"\xff"), (b"X-Id", b"a\xff")]
    who = sender("hmac", header="X-Signature", idHeader="X-Id", signed="{id}.{body}")
    assert doubt(who, [b"key"], headers_of(raw), b"body", NOW) == FORGED
    signature = hmac.digest(b"key", b"a\xff.body", "sha256").hex().upper()
    signed = headers_of([(b"X-Signature", signature.encode()), raw[1]])
    assert doubt(who, [b"key"], signed, b"body", NOW) == ""  # hexadecimal digits of any size


def test_two_secrets_hold_at_a_time_and_an_empty_one_never() -> None:
    headers = {"x-hub-signature-256": GITHUB_SIGNATURE}
    for secrets in ([b"new", GITHUB_SECRET], [GITHUB_SECRET, b"new"], [GITHUB_SECRET + b"\n"]):
        assert doubt(GITHUB, secrets, headers, GITHUB_BODY, NOW) == ""
    empty = hmac.digest(b"", GITHUB_BODY, "sha256").hex()
    for signed in (empty, hmac.digest(b"\0", GITHUB_BODY, "sha256").hex()):
        unkeyed = {"x-hub-signature-256": f"sha256={signed}"}
        for secrets in ([], [b""], [b"\n"]):
            assert doubt(GITHUB, secrets, unkeyed, GITHUB_BODY, NOW) == (
                "there is no secret to prove it by"
            )


def test_an_identity_is_proved_elsewhere() -> None:
    assert OIDC is not None
    assert scheme_of(OIDC.webhook) is None
    assert doubt(OIDC.webhook, [b"x"], {"authorization": "Bearer x"}, b"", NOW) == (
        "it needs an identity"
    )
    assert sender_key(OIDC.webhook, {"authorization": "Bearer x"}) == ""


@pytest.mark.parametrize(
    ("who", "headers", "key"),
    [
        (GITHUB, {"x-github-delivery": "72d3162e"}, "72d3162e"),
        (GITHUB, {}, ""),
        (GITLAB, {"idempotency-key": "abc"}, "abc"),
        (GITLAB, {}, ""),
        (SLACK, {}, ""),
        (SLACK, SLACK_HEADERS, SLACK_HEADERS["x-slack-signature"]),
        (STANDARD, STANDARD_HEADERS, "msg_p5jXN8AQM9LWM0D4loKWxJek"),
        (HMAC, {"x-signature": "00"}, ""),
        (sender("hmac", header="X", idHeader="X-Id"), {"x-id": "7"}, "7"),
        (sender("hmac", header="X", timestampHeader="T"), {"x": "00", "t": "1"}, "00"),
    ],
)
def test_deliveries_are_told_apart(who: AnySender, headers: dict[str, str], key: str) -> None:
    assert sender_key(who, headers) == key


@given(st.text(max_size=300), st.text(max_size=300))
def test_keys_stay_different_and_fit(one: str, other: str) -> None:
    assert len(key_of(one)) <= 200
    assert key_of(one).isprintable()
    assert (key_of(one) == key_of(other)) is (one == other)


def test_a_key_of_200_characters_is_kept_and_what_is_longer_or_strange_as_its_digest() -> None:
    assert key_of("x" * 200) == "x" * 200
    assert key_of("x" * 201) == f"sha256:{sha256(b'x' * 201).hexdigest()}"
    assert key_of("\ud800") == f"sha256:{sha256(bytes([0xED, 0xA0, 0x80])).hexdigest()}"


SECRETS = st.binary(min_size=1, max_size=80).filter(lambda key: key.rstrip(b"\r\n") == key)


@given(
    SECRETS,
    st.binary(max_size=200),
    st.sampled_from(["sha256", "sha384", "sha512"]),
    st.sampled_from(["hex", "base64"]),
    st.sampled_from(["", "sha=", "v1,"]),
    st.booleans(),
)
def test_what_is_signed_as_said_is_believed_and_nothing_else_is(
    secret: bytes, body: bytes, algorithm: str, encoding: str, prefix: str, timed: bool
) -> None:
    said: dict[str, Any] = {"algorithm": algorithm, "encoding": encoding, "prefix": prefix}
    if timed:
        said |= {
            "timestampHeader": "X-Time",
            "idHeader": "X-Id",
            "signed": "{id}.{timestamp}.{body}",
        }
    who = sender("hmac", header="X-Signature", **said)
    at = str(int(NOW.timestamp()))
    text = f"42.{at}.".encode() + body if timed else body
    digest = hmac.digest(secret, text, algorithm)
    written = digest.hex() if encoding == "hex" else base64.b64encode(digest).decode()
    headers = {"x-signature": prefix + written, "x-time": at, "x-id": "42"}
    assert doubt(who, [secret], headers, body, NOW) == ""
    assert doubt(who, [secret + b"x"], headers, body, NOW) == FORGED
    assert doubt(who, [secret], headers, body + b"x", NOW) == FORGED
    if timed:
        assert doubt(who, [secret], headers | {"x-id": "43"}, body, NOW) == FORGED


@given(st.text(max_size=50), st.binary(max_size=50))
def test_no_noise_is_believed(noise: str, body: bytes) -> None:
    headers = dict.fromkeys(
        ("x-hub-signature-256", "x-slack-signature", "webhook-signature", "x-signature"), noise
    ) | dict.fromkeys(("x-slack-request-timestamp", "webhook-timestamp"), noise)
    for who in (GITHUB, SLACK, STANDARD, HMAC):
        assert doubt(who, [STANDARD_SECRET], headers, body, NOW)
