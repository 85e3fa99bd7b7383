"""Notices for tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from runyard.model.notice import Notice, NoticeKind, Severity

AT = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)


def make_notice(**changes: Any) -> Notice:
    """Something that people should know."""
    usual: dict[str, Any] = {
        "key": "inc_1/1",
        "at": AT,
        "title": "report failed",
        "text": "exit status 1 & <b>worse</b>",
        "kind": NoticeKind.OPENED,
        "severity": Severity.ERROR,
        "thread": "inc_1",
        "environment": "prod",
        "project": "shop",
        "job": "report",
        "run": "run_1",
        "region": "us-central1",
        "rule": "dead",
        "link": "https://runbooks.example.com/report",
    }
    return Notice(**usual | changes)
