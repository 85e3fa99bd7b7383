"""A program, by a POST of JSON that is signed as Standard Webhooks are
(https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md):
`webhook-id` is the same however often it is sent, `webhook-timestamp` is when it is sent, and
`webhook-signature` is an HMAC-SHA256 of `id.timestamp.body`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping
from datetime import datetime

import orjson

from runyard.channel.declared.http import Poster, not_sent
from runyard.model.errors import ChannelError
from runyard.model.notice import Notice

PREFIX = "whsec_"  #: of a key that is written in base 64
KEY_BYTES_MIN = 24  #: what the specification asks for; 64 at most are of use
VERSION = "v1"


class WebhookVoice:
    """Tells a program at `url`. `key` is a secret."""

    def __init__(
        self, name: str, url: str, key: str, poster: Poster, clock: Callable[[], datetime]
    ) -> None:
        self.name = name
        self._url = url
        self._key = key
        self._poster = poster
        self._clock = clock

    async def send(self, notice: Notice) -> None:
        """See `Channel.send`."""
        content = body(notice)
        headers = signed(message_id(notice), self._clock(), content, key_of(self._key))
        reply = await self._poster.post(self._url, content, headers)
        if not reply.is_sent:
            raise not_sent(reply, "the webhook")


def message_id(notice: Notice) -> str:
    """The same for every telling of the same thing; letters, digits, `_` and `-` only."""
    return f"msg_{hashlib.sha256(notice.key.encode()).hexdigest()[:40]}"


def body(notice: Notice) -> bytes:
    """What is sent, as the specification shapes it: a type, an instant, the data."""
    return orjson.dumps(
        {
            "type": f"incident.{notice.kind}" if notice.thread else f"notice.{notice.kind}",
            "timestamp": notice.at.isoformat(timespec="milliseconds"),
            "data": {
                "incident": notice.thread,
                "title": notice.title,
                "text": notice.text,
                "severity": notice.severity,
                "environment": notice.environment,
                "project": notice.project,
                "job": notice.job,
                "run": notice.run,
                "region": notice.region,
                "rule": notice.rule,
                "link": notice.link,
                "details": dict(notice.details),
            },
        }
    )


def key_of(text: str) -> bytes:
    """The bytes of a key: `whsec_` and base 64, or the text itself. Raises ChannelError for one
    that is no key; nothing of it is in the error."""
    try:
        encoded = text.startswith(PREFIX)
        key = base64.b64decode(text[len(PREFIX) :], validate=True) if encoded else text.encode()
    except binascii.Error:
        key = b""
    if len(key) < KEY_BYTES_MIN:
        raise ChannelError(
            f"the key of the webhook is shorter than {KEY_BYTES_MIN} bytes, or no base 64",
            hint='make one: python3 -c "import base64, os; '
            "print('whsec_' + base64.b64encode(os.urandom(32)).decode())\"",
        )
    return key


def signed(message: str, at: datetime, content: bytes, key: bytes) -> Mapping[str, str]:
    """The headers that vouch for `content`."""
    seconds = str(int(at.timestamp()))
    said = b".".join((message.encode(), seconds.encode(), content))
    signature = base64.b64encode(hmac.new(key, said, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": message,
        "webhook-timestamp": seconds,
        "webhook-signature": f"{VERSION},{signature}",
    }
