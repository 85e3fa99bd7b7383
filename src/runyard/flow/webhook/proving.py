"""Whether a request was sent by who has the secret, and lately. Pure.

Every secret and every signature is compared, in constant time, whatever came of the others: how
long an answer takes says nothing. Why a request is not believed is for our records, not for who
sent it.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from runyard.model.trigger.senders import (
    BODY_PART,
    ID_PART,
    TIMESTAMP_PART,
    Algorithm,
    AnySender,
    Encoding,
    GithubSender,
    GitlabSender,
    HmacSender,
    SlackSender,
    StandardSender,
    tolerance_seconds,
)

Headers = Mapping[str, str]  #: by names in lower case
KEY_CHARACTERS_MAX = 200  #: of what tells deliveries apart; a longer one is kept as its digest
TOKEN_HEADER = "x-gitlab-token"  # noqa: S105 - the name of a header
#: Words in the names of headers that are a secret themselves, or prove one.
SECRET_WORDS = (
    "authorization", "cookie", "credential", "password", "secret", "signature", "token", "api-key",
    "apikey",
)  # fmt: skip
SIGNATURES_MAX = 10  #: in one header; who renews a secret sends two
_MILLISECONDS = 100_000_000_000  #: a time above it is in milliseconds, or after the year 5000


@dataclass(frozen=True, slots=True)
class Scheme:
    """How a sender signs. `signed` is the text that is signed, with its parts in braces.
    `tolerance_seconds` None: nothing is said of when it was sent."""

    header: str
    signed: str = BODY_PART
    prefix: str = ""
    algorithm: Algorithm = Algorithm.SHA256
    encoding: Encoding = Encoding.HEX
    timestamp_header: str = ""
    id_header: str = ""
    tolerance_seconds: float | None = None


def scheme_of(sender: AnySender) -> Scheme | None:
    """How a sender signs; None when it does not."""
    match sender:
        case GithubSender():
            return Scheme("x-hub-signature-256", prefix="sha256=", id_header="x-github-delivery")
        case SlackSender():
            return Scheme(
                "x-slack-signature",
                f"v0:{TIMESTAMP_PART}:{BODY_PART}",
                "v0=",
                timestamp_header="x-slack-request-timestamp",
                tolerance_seconds=tolerance_seconds(sender),
            )
        case StandardSender():
            return Scheme(
                "webhook-signature",
                f"{ID_PART}.{TIMESTAMP_PART}.{BODY_PART}",
                "v1,",
                encoding=Encoding.BASE64,
                timestamp_header="webhook-timestamp",
                id_header="webhook-id",
                tolerance_seconds=tolerance_seconds(sender),
            )
        case HmacSender():
            at = sender.timestamp_header
            return Scheme(
                sender.header.lower(),
                sender.text_signed,
                sender.prefix,
                sender.algorithm,
                sender.encoding,
                (at or "").lower(),
                (sender.id_header or "").lower(),
                None if at is None else tolerance_seconds(sender),
            )
    return None


def doubt(
    sender: AnySender, secrets: Sequence[bytes], headers: Headers, body: bytes, now: datetime
) -> str:
    """Why a request is not believed; empty when it is. `secrets` are all that hold now.

    An identity (`oidc`) is proved elsewhere: here it is never believed.
    """
    keys = [key for secret in secrets if (key := _key_of(sender, secret))]
    if isinstance(sender, GitlabSender):
        return _token_doubt(keys, headers)
    scheme = scheme_of(sender)
    if scheme is None:
        return "it needs an identity"
    holds = _holds(scheme, keys or [b"\0"], headers, body)
    if not keys:
        return "there is no secret to prove it by"
    if scheme.header not in headers:
        return f"it has no signature ({scheme.header})"
    return _time_doubt(scheme, headers, now) if holds else "its signature does not hold"


def sender_key(sender: AnySender, headers: Headers) -> str:
    """What tells a delivery of this sender from its others, and stays when it is sent again; empty
    when nothing does. Where no id is given but a time is signed, it is the signature."""
    if isinstance(sender, GitlabSender):
        return key_of(headers.get("idempotency-key", ""))
    scheme = scheme_of(sender)
    if scheme is None:
        return ""
    if scheme.id_header:
        return key_of(headers.get(scheme.id_header, ""))
    return key_of(headers.get(scheme.header, "")) if scheme.timestamp_header else ""


def key_of(text: str) -> str:
    """A key as it is kept: what is long or not printable, as its digest."""
    if len(text) <= KEY_CHARACTERS_MAX and text.isprintable():
        return text
    return f"sha256:{sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _key_of(sender: AnySender, secret: bytes) -> bytes:
    """The key in a secret's value, empty where there is none. A line's end, which editors and
    `echo` put there, is none of it."""
    value = secret.rstrip(b"\r\n")
    if not isinstance(sender, StandardSender):
        return value
    try:
        return base64.b64decode(value.removeprefix(b"whsec_"), validate=True)
    except binascii.Error:
        return b""


def _token_doubt(keys: Sequence[bytes], headers: Headers) -> str:
    given = headers.get(TOKEN_HEADER, "").encode("utf-8", "surrogateescape")
    found = [hmac.compare_digest(given, key) for key in keys]
    if not keys:
        return "there is no secret to prove it by"
    return "" if any(found) else "its token is another one"


def _holds(scheme: Scheme, keys: Sequence[bytes], headers: Headers, body: bytes) -> bool:
    text = _signed(scheme, headers, body)
    given = headers.get(scheme.header, "").split(" ", SIGNATURES_MAX)[:SIGNATURES_MAX]
    right = [hmac.digest(key, text, scheme.algorithm.value) for key in keys]
    found = [_is_same(scheme, one, each) for one in given for each in right]
    return any(found)  # of all of them: none is left out for another's sake


def _signed(scheme: Scheme, headers: Headers, body: bytes) -> bytes:
    before, _, after = scheme.signed.partition(BODY_PART)

    def filled(text: str) -> bytes:
        for part, header in (
            (TIMESTAMP_PART, scheme.timestamp_header),
            (ID_PART, scheme.id_header),
        ):
            text = text.replace(part, headers.get(header, ""))
        return text.encode("utf-8", "surrogateescape")

    return filled(before) + body + filled(after)


def _is_same(scheme: Scheme, given: str, computed: bytes) -> bool:
    is_hex = scheme.encoding is Encoding.HEX
    right = computed.hex() if is_hex else base64.b64encode(computed).decode()
    said = given.removeprefix(scheme.prefix)
    same = hmac.compare_digest(
        (said.lower() if is_hex else said).encode("utf-8", "surrogateescape"), right.encode()
    )
    return same and given.startswith(scheme.prefix)


def _time_doubt(scheme: Scheme, headers: Headers, now: datetime) -> str:
    if scheme.tolerance_seconds is None:
        return ""
    text = headers.get(scheme.timestamp_header, "")
    if not (text.isascii() and text.isdecimal() and len(text) <= 15):
        return f"it does not say when it was sent ({scheme.timestamp_header})"
    number = int(text)
    at = number / 1000 if number >= _MILLISECONDS else float(number)
    apart = now.timestamp() - at
    if abs(apart) <= scheme.tolerance_seconds:
        return ""
    return f"it was sent {abs(apart):.0f} seconds {'ago' if apart > 0 else 'ahead of our clock'}"
