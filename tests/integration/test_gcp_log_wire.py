"""What is sent to Cloud Logging, and what becomes of the answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials

from runyard.model.errors import ProviderRefused, ProviderTimeout, ProviderUnavailable
from runyard.provider.gcp import log_wire
from runyard.provider.gcp.calls import Calls
from runyard.provider.gcp.log_wire import EntriesAsked, EntriesPage, RestLogApi
from tests.support.google_answers import Answers, answering

Scenario = Callable[[RestLogApi, Answers], Awaitable[None]]
ASKED = EntriesAsked("shop-prod", 'severity>="INFO"', 40)
LINE = {"insertId": "a", "textPayload": "x"}


def play(scenario: Scenario, *replies: tuple[int, Any] | None, seconds: float = 20.0) -> None:
    """Run a scenario against a server that answers by the script."""

    async def main(answers: Answers) -> None:
        calls = Calls()
        api = RestLogApi(AnonymousCredentials(), calls, answers.url, seconds)
        try:
            await scenario(api, answers)
        finally:
            answers.go.set()
            calls.close()
            await api.close()

    with answering() as answers:
        answers.replies = list(replies)
        asyncio.run(main(answers))


def said(http: int, status: str) -> tuple[int, Any]:
    """An error in Google's form."""
    return http, {"error": {"code": http, "status": status, "message": "Not so."}}


def test_entries_are_asked_for_a_page_at_a_time() -> None:
    async def scenario(api: RestLogApi, answers: Answers) -> None:
        assert await api.entries(ASKED) == EntriesPage((LINE,), "more")
        newest = EntriesAsked("shop-prod", "", 5, "more", newest_first=True)
        assert await api.entries(newest) == EntriesPage(())
        (first, second) = answers.asked
        assert first == (
            "POST",
            "/v2/entries:list",
            {
                "resourceNames": ["projects/shop-prod"],
                "filter": 'severity>="INFO"',
                "orderBy": "timestamp asc",
                "pageSize": 40,
            },
        )
        assert second[2] == {
            "resourceNames": ["projects/shop-prod"],
            "orderBy": "timestamp desc",
            "pageSize": 5,
            "pageToken": "more",
        }
        assert "Authorization" not in answers.headers[0]

    play(scenario, (200, {"entries": [LINE, "no entry"], "nextPageToken": "more"}), (200, {}))


@pytest.mark.parametrize(
    ("reply", "kind", "reason", "hint"),
    [
        (said(403, "PERMISSION_DENIED"), ProviderRefused, "PERMISSION_DENIED",
         "gcloud projects add-iam-policy-binding shop-prod --member=MEMBER "
         "--role=roles/logging.viewer"),
        (said(403, "PERMISSION_DENIED"), ProviderRefused, "PERMISSION_DENIED",
         "gcloud services enable logging.googleapis.com --project shop-prod"),
        (said(429, "RESOURCE_EXHAUSTED"), ProviderUnavailable, "RESOURCE_EXHAUSTED", "quota"),
        (said(400, "INVALID_ARGUMENT"), ProviderRefused, "INVALID_ARGUMENT", ""),
        (said(503, "UNAVAILABLE"), ProviderUnavailable, "UNAVAILABLE", ""),
        ((200, ["a list"]), ProviderRefused, "", ""),
    ],
)  # fmt: skip
def test_errors_are_ours_with_what_to_do(
    reply: tuple[int, Any], kind: type[Exception], reason: str, hint: str
) -> None:
    async def scenario(api: RestLogApi, answers: Answers) -> None:
        with pytest.raises(kind) as caught:
            await api.entries(ASKED)
        assert caught.value.reason == reason  # type: ignore[attr-defined]
        assert hint in caught.value.hint  # type: ignore[attr-defined]

    play(scenario, reply)


def test_an_answer_that_does_not_come_is_not_waited_for() -> None:
    async def scenario(api: RestLogApi, answers: Answers) -> None:
        with pytest.raises(ProviderTimeout):
            await api.entries(ASKED)

    play(scenario, None, seconds=0.05)


def test_a_long_answer_is_asked_for_again_of_fewer() -> None:
    async def scenario(api: RestLogApi, answers: Answers) -> None:
        assert await api.entries(ASKED) == EntriesPage((LINE,))
        assert [body["pageSize"] for _, _, body in answers.asked] == [40, 2]
        with pytest.raises(ProviderRefused, match="too long"):
            await api.entries(ASKED)

    long = {"entries": [{"textPayload": "x" * (log_wire.ANSWER_BYTES_MAX + 1)}]}
    play(scenario, (200, long), (200, {"entries": [LINE]}), (200, long), (200, long))
