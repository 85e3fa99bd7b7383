"""PagerDuty, by its Events API v2: one incident there for one here, by the same `dedup_key` when
it is triggered, acknowledged and resolved.

It answers 202. 400 is a fault of the event and is never tried again; 429, 5xx and no answer are
(https://developer.pagerduty.com/docs/events-api-v2-overview). Its limits: 1,024 characters of
summary, 255 of the key, 512 KB in all.
"""

from __future__ import annotations

from typing import Any

import orjson

from runyard.channel.declared.http import Poster, not_sent
from runyard.model.notice import Notice, NoticeKind

SUMMARY_CHARACTERS_MAX = 1024
KEY_CHARACTERS_MAX = 255
BODY_BYTES_MAX = 512 * 1000
DETAIL_CHARACTERS_MAX = 10_000
#: Every other kind is of no use to who is on call: they are paged by what triggers.
_ACTIONS = {
    NoticeKind.ACKNOWLEDGED: "acknowledge",
    NoticeKind.RESOLVED: "resolve",
}
_NEVER_PAGES = frozenset({NoticeKind.ANNOUNCED})


class PagerDutyVoice:
    """Tells one integration of PagerDuty. `routing_key` is a secret."""

    def __init__(self, name: str, url: str, routing_key: str, poster: Poster) -> None:
        self.name = name
        self._url = url
        self._routing_key = routing_key
        self._poster = poster

    async def send(self, notice: Notice) -> None:
        """See `Channel.send`. What is about no incident pages nobody. A test is triggered and
        resolved at once."""
        if notice.kind in _NEVER_PAGES:
            return
        await self._enqueue(event(notice, self._routing_key))
        if notice.kind is NoticeKind.TEST:
            await self._enqueue(
                {
                    "routing_key": self._routing_key,
                    "event_action": "resolve",
                    "dedup_key": dedup_key(notice),
                }
            )

    async def _enqueue(self, document: dict[str, Any]) -> None:
        reply = await self._poster.post(self._url, orjson.dumps(document), {})
        if not reply.is_sent:
            raise not_sent(reply, "PagerDuty")


def dedup_key(notice: Notice) -> str:
    """The same for all that is about one incident."""
    return f"runyard/{notice.thread or notice.key}"[:KEY_CHARACTERS_MAX]


def event(notice: Notice, routing_key: str) -> dict[str, Any]:
    """What PagerDuty is sent, within its limits."""
    action = _ACTIONS.get(notice.kind, "trigger")
    found: dict[str, Any] = {
        "routing_key": routing_key,
        "event_action": action,
        "dedup_key": dedup_key(notice),
    }
    if action != "trigger":
        return found
    details = {name: value[:DETAIL_CHARACTERS_MAX] for name, value in notice.facts[:30]}
    found["client"] = "Runyard"
    found["payload"] = {
        "summary": notice.title[:SUMMARY_CHARACTERS_MAX],
        "source": "/".join(one for one in (notice.environment, notice.region) if one) or "runyard",
        "severity": notice.severity,
        "timestamp": notice.at.isoformat(timespec="milliseconds"),
        "component": notice.job or "runyard",
        "group": notice.project or "runyard",
        "class": notice.rule or notice.kind,
        "custom_details": {"text": notice.text[:DETAIL_CHARACTERS_MAX], **details},
    }
    if notice.link:
        found["client_url"] = notice.link
        found["links"] = [{"href": notice.link, "text": "the incident in Runyard"}]
    return found
