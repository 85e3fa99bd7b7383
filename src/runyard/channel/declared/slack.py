"""Slack, by an incoming webhook: a message of blocks, with a plain text for notifications.

It answers 200 and `ok`. Its limits: 50 blocks in a message, 150 characters in a header, 3,000 in
the text of a section, 10 fields of 2,000 in one, one message a second
(https://docs.slack.dev/reference/block-kit/blocks/section-block,
https://docs.slack.dev/apis/web-api/rate-limits). It knows no keys: what was sent and could not be
noted before a crash comes twice.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import orjson

from runyard.channel.declared.http import Poster, not_sent
from runyard.model.errors import ChannelError
from runyard.model.notice import Notice, NoticeKind, Severity

BLOCKS_MAX = 50
HEADER_CHARACTERS_MAX = 150
SECTION_CHARACTERS_MAX = 3000
FIELDS_MAX = 10  #: in a section
FIELD_CHARACTERS_MAX = 2000
BUTTON_URL_CHARACTERS_MAX = 3000
MESSAGE_CHARACTERS_MAX = 8000
"""Of a notice's text. Slack is known to refuse messages of more than about 12,000 characters in
all their blocks (github.com/slackapi/bolt-js/issues/2509)."""
_SIGNS = {
    Severity.INFO: ":information_source:",
    Severity.WARNING: ":warning:",
    Severity.ERROR: ":red_circle:",
    Severity.CRITICAL: ":rotating_light:",
}
_KINDS = {NoticeKind.RESOLVED: ":white_check_mark:", NoticeKind.ACKNOWLEDGED: ":eyes:"}


class SlackVoice:
    """Tells in one channel of Slack. `url` is a secret."""

    def __init__(self, name: str, url: str, poster: Poster) -> None:
        self.name = name
        self._url = url
        self._poster = poster

    async def send(self, notice: Notice) -> None:
        """See `Channel.send`."""
        if not is_safe(self._url):
            raise ChannelError("the secret of the channel holds no https:// URL")
        reply = await self._poster.post(self._url, orjson.dumps(message(notice)), {})
        if not reply.is_sent:
            raise not_sent(reply, "Slack")


def is_safe(url: str) -> bool:
    """True when what is sent there is read by nobody on the way."""
    try:
        place = urlsplit(url)
        return place.scheme == "https" or (
            place.scheme == "http" and place.hostname in ("localhost", "127.0.0.1", "::1")
        )
    except ValueError:
        return False


def message(notice: Notice) -> dict[str, Any]:
    """What Slack is sent, within its limits."""
    sign = _KINDS.get(notice.kind, _SIGNS[notice.severity])
    blocks: list[dict[str, Any]] = [
        {
            "type": "header",
            "text": {
                "type": "plain_text",
                "text": _cut(f"{sign} {notice.title}", HEADER_CHARACTERS_MAX),
                "emoji": True,
            },
        }
    ]
    blocks += [_section(part) for part in _parts(_cut(notice.text, MESSAGE_CHARACTERS_MAX))]
    facts = [_field(name, value) for name, value in notice.facts]
    for first in range(0, len(facts), FIELDS_MAX):
        blocks.append({"type": "section", "fields": facts[first : first + FIELDS_MAX]})
    if 0 < len(notice.link) <= BUTTON_URL_CHARACTERS_MAX:
        words = {"type": "plain_text", "text": "Open"}
        blocks.append(
            {
                "type": "actions",
                "elements": [{"type": "button", "text": words, "url": notice.link}],
            }
        )
    return {"text": escaped(_cut(f"{sign} {notice.title}", 300)), "blocks": blocks[:BLOCKS_MAX]}


def escaped(text: str) -> str:
    """`text` as Slack shows it: the three characters that it reads are written out
    (https://docs.slack.dev/messaging/formatting-message-text#escaping)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _parts(text: str) -> list[str]:
    """`text` in parts that each fit a section once it is escaped."""
    longest = SECTION_CHARACTERS_MAX // len("&amp;")
    return [text[first : first + longest] for first in range(0, len(text), longest)]


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": escaped(text) or " "}}


def _field(name: str, value: str) -> dict[str, str]:
    text = f"*{escaped(_cut(name, 60))}*\n{escaped(_cut(value, 300))}"
    return {"type": "mrkdwn", "text": _cut(text, FIELD_CHARACTERS_MAX)}


def _cut(text: str, characters_max: int) -> str:
    return text if len(text) <= characters_max else f"{text[: characters_max - 1]}…"
