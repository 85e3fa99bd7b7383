"""The report by mail: text and HTML, and each result as a JSON file. Loaded when one is asked for.

Over STARTTLS with a certificate that holds, or not at all. Whatever goes wrong is a value in the
answer: a mail that cannot be sent never fails an execution.
"""

from __future__ import annotations

import re
import smtplib
import ssl
from email.message import EmailMessage
from email.policy import SMTP
from html import escape
from typing import Any

from runyard_runner.model.result import Result, Summary, dump
from runyard_runner.report.port import Mailbox
from runyard_runner.rules.statuses import Verdict

_SECONDS_MAX = 20.0
#: One file per result, but no more than a mail server takes.
_FILES_MAX = 200
_BYTES_MAX = 10 << 20
_HEADINGS = {
    Verdict.FAILED: ("Errors", "#dc3545"),
    Verdict.WARNED: ("Partial success (HTTP 207)", "#ff9800"),
    Verdict.SUCCEEDED: ("Successful", "#28a745"),
    Verdict.SKIPPED: ("Not called", "#6c757d"),
}
_PREFIX = {Verdict.FAILED: "ERROR_", Verdict.WARNED: "WARNING_"}
_CONTEXTS = {"scheduler": "Scheduled", "test": "Test", "manual": "Manual"}


def send(mailbox: Mailbox, summary: Summary, context: str) -> dict[str, Any]:
    """Send the report, and say what came of it. Blocks; never raises."""
    if mailbox.missing:
        words = f"Email configuration incomplete: {', '.join(mailbox.missing)} missing"
        return {"email_sent": False, "error": words}
    message = written(mailbox, summary, context)
    try:
        trust = ssl.create_default_context()
        if mailbox.ca_file:
            trust.load_verify_locations(mailbox.ca_file)
        with smtplib.SMTP(mailbox.host, mailbox.port, timeout=_SECONDS_MAX) as server:
            server.starttls(context=trust)
            server.login(mailbox.user, mailbox.password)
            server.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        return {"email_sent": False, "error": _words(mailbox, error)}
    return {
        "email_sent": True,
        "email_to": ", ".join(mailbox.recipients),
        "email_from": mailbox.sender,
        "attachments": sum(1 for _ in message.iter_attachments()),
    }


def written(mailbox: Mailbox, summary: Summary, context: str) -> EmailMessage:
    """The report as a message."""
    message = EmailMessage(policy=SMTP)
    kind = _CONTEXTS.get(context, "Manual")
    message["Subject"] = f"Runyard runner - {kind} Execution Report - {_outcome(summary)}"
    message["From"] = mailbox.sender
    message["To"] = ", ".join(mailbox.recipients)
    message.set_content(_plain(summary))
    message.add_alternative(_html(summary), subtype="html")
    size = 0
    for result in summary.results[:_FILES_MAX]:
        content = dump(result.as_json(), indent=True)
        size += len(content)
        if size > _BYTES_MAX:
            break
        message.add_attachment(
            content, maintype="application", subtype="json", filename=file_name(result)
        )
    return message


def file_name(result: Result) -> str:
    """The name of a result's file: its place, and where it was called."""
    place = re.sub(r"[^A-Za-z0-9._-]+", "_", re.sub(r"^https?://", "", result.endpoint))[:50]
    return f"{_PREFIX.get(result.verdict, '')}{result.index + 1:02d}_{place}.json"


def _outcome(summary: Summary) -> str:
    if summary.of(Verdict.FAILED):
        return "FAILED"
    return "COMPLETED WITH WARNINGS" if summary.of(Verdict.WARNED) else "SUCCESS"


def _line(result: Result) -> str:
    words = f": {result.error}" if result.error else ""
    return f"{result.endpoint} [{result.method}] - Status: {result.status_code}{words}"


def _plain(summary: Summary) -> str:
    counts = summary.counts()
    lines = [
        f"{_outcome(summary)}: {counts['successful']} of {counts['total_endpoints']} succeeded, "
        f"{counts['warnings']} with warnings, {counts['failed']} failed, "
        f"{summary.mode}, {summary.duration_ms:.0f} ms."
    ]
    for verdict, (heading, _) in _HEADINGS.items():
        if found := summary.of(verdict):
            lines += ["", heading, *(f"  {_line(each)}" for each in found)]
    return "\n".join(lines) + "\n"


def _html(summary: Summary) -> str:
    parts = [f"<html><body><h2>{escape(_outcome(summary))}</h2>"]
    for verdict, (heading, colour) in _HEADINGS.items():
        if found := summary.of(verdict):
            items = "".join(f"<li>{escape(_line(each))}</li>" for each in found)
            parts.append(f"<h3 style='color: {colour}'>{heading}</h3><ul>{items}</ul>")
    return "".join([*parts, "</body></html>"])


def _words(mailbox: Mailbox, error: OSError | smtplib.SMTPException) -> str:
    place = f"{mailbox.host}, port {mailbox.port}"
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"{place} does not take SMTP_USER with SMTP_PASSWORD"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return f"{place} offers no STARTTLS, and nothing is mailed without"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate of {place} does not hold: {error.verify_message}"
    return f"{place}: {error}"
