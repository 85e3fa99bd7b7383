"""Reports by mail: a real server with STARTTLS, and every way it can fail."""

from __future__ import annotations

from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import orjson
import pytest

from runyard_runner.model.result import Result, Summary
from runyard_runner.report import mail
from runyard_runner.report.port import Mailbox
from runyard_runner.rules.statuses import Verdict
from tests.runner.site import answer, run, running, serving
from tests.support.certificates import Certified, certified
from tests.support.channels import PASSWORD, Post, post


def environment(handler: Post, known: Certified | None, **more: str) -> dict[str, str]:
    """The settings for it."""
    return {
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(handler.port),
        "EMAIL_ADDRESS": "ops@example.com",
        "SMTP_PASSWORD": PASSWORD,
        "CA_FILE": str(known.ca_file) if known else "",
        **more,
    }


def _holds_the_report(message: EmailMessage, port: int, first: Any) -> None:
    assert message["Subject"] == "Runyard runner - Manual Execution Report - FAILED"
    plain = message.get_body(("plain",))
    html = message.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert "1 of 4 succeeded, 1 with warnings, 1 failed" in plain.get_content()
    assert "HTTP 500" in html.get_content()
    files = {each.get_filename(): each for each in message.iter_attachments()}
    place = f"127.0.0.1_{port}"
    assert set(files) == {
        f"01_{place}_ok.json",
        f"WARNING_02_{place}_207.json",
        f"ERROR_03_{place}_500.json",
        f"04_{place}_never.json",
    }
    assert orjson.loads(files[f"01_{place}_ok.json"].get_content()) == first


def test_a_report(tmp_path: Path) -> None:
    known = certified(tmp_path)

    async def story(handler: Post) -> None:
        answers = {"/207": answer(207), "/<b>": answer(200), "/500": answer(500)}
        async with serving(answers) as target, running(environment(handler, known)) as site:
            order = {
                "endpoints": [
                    target.url("/ok"),
                    target.url("/207"),
                    target.url("/500"),
                    {"url": target.url("/never"), "when": "false"},
                ],
                "parallel": False,
                "send_email": True,
            }
            status, said = await site.execute(order)
            assert (status, said["email_notification"]) == (
                500,
                {
                    "email_sent": True,
                    "email_to": "ops@example.com",
                    "email_from": "ops@example.com",
                    "attachments": 4,
                },
            )
            _holds_the_report(handler.got[0], target.port, said["results"][0])
            await site.execute(
                order | {"test_mode": True, "endpoints": [target.url("/207")]},
            )
            assert "Test Execution Report - COMPLETED WITH WARNINGS" in handler.got[1]["Subject"]
            await site.execute(
                order | {"endpoints": [target.url("/ok")]}, X_Scheduler_Trigger="true"
            )
            assert "Scheduled Execution Report - SUCCESS" in handler.got[2]["Subject"]
            assert site.assembled.meters.mails["sent"] == 3
            assert PASSWORD not in str(site.lines)

    with post(known) as handler:
        run(story(handler))


def test_recipients_and_users_of_their_own(tmp_path: Path) -> None:
    known = certified(tmp_path)

    async def story(handler: Post) -> None:
        more = {"SMTP_USER": "robot", "EMAIL_FROM": "r@example.com", "EMAIL_TO": "a@x.org, b@x.org"}
        async with serving() as target, running(environment(handler, known, **more)) as site:
            await site.execute({"endpoints": [target.url()], "send_email": True})
        assert handler.to == ["a@x.org", "b@x.org"]
        assert handler.got[0]["From"] == "r@example.com"

    with post(known) as handler:
        run(story(handler))


def _failed(handler: Post, known: Certified | None, **more: str) -> str:
    found: list[str] = []

    async def story() -> None:
        async with serving() as target, running(environment(handler, known, **more)) as site:
            status, said = await site.execute({"endpoints": [target.url()], "send_email": True})
            assert (status, said["success"]) == (200, True)
            assert said["email_notification"]["email_sent"] is False
            assert site.assembled.meters.mails["failed"] == 1
            found.append(said["email_notification"]["error"])

    run(story())
    return found[0]


def test_a_mail_that_fails_never_fails_the_execution(tmp_path: Path) -> None:
    known = certified(tmp_path)
    with post(known) as handler:
        assert "does not take SMTP_USER" in _failed(handler, known, SMTP_PASSWORD="wrong-one")
        assert "certificate of 127.0.0.1" in _failed(handler, None)
        missing = _failed(handler, known, EMAIL_ADDRESS="", SMTP_PASSWORD="")
        assert missing == (
            "Email configuration incomplete: SMTP_USER, SMTP_PASSWORD, EMAIL_FROM, EMAIL_TO missing"
        )
        handler.refuses = "554 refused, correct-horse"
        refused = _failed(handler, known)
        assert "554" in refused
        assert PASSWORD not in refused
    with post(None) as handler:
        assert "offers no STARTTLS" in _failed(handler, None)
    assert "127.0.0.1, port 9" in _failed(Post(port=9), None)


def test_attachments_are_bounded() -> None:
    now = datetime(2026, 11, 26, tzinfo=UTC)
    large = "x" * (6 << 20)
    results = tuple(
        Result(n, "http://x/", "", "GET", Verdict.SUCCEEDED, 200, large, "", 1, 1.0, now)
        for n in range(3)
    )
    summary = Summary(results, "parallel", now, 1.0, 500)
    mailbox = Mailbox("h", 25, "u", "p", "s@x.org", ("t@x.org",))
    message = mail.written(mailbox, summary, "other")
    assert len(list(message.iter_attachments())) == 1


@pytest.mark.parametrize("context", ["scheduler", "manual"])
def test_a_header_of_a_mail_cannot_be_broken(context: str) -> None:
    now = datetime(2026, 11, 26, tzinfo=UTC)
    result = Result(0, "http://x/\r\nBcc: y", "", "GET", Verdict.FAILED, 0, None, "e", 1, 1.0, now)
    assert mail.file_name(result) == "ERROR_01_x_Bcc_y.json"
    assert context in ("scheduler", "manual")
