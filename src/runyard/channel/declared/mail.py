"""Mail: text and HTML, over TLS with a certificate that holds, or not at all.

All mails about one incident are one thread (`References`), and one that is sent twice has the same
`Message-ID`, by which mail programs know it.
"""

from __future__ import annotations

import asyncio
import hashlib
import smtplib
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape

from runyard.model.channels import Email
from runyard.model.errors import ChannelError, ChannelRefused
from runyard.model.notice import Notice, NoticeKind, Severity

TIMEOUT_SECONDS = 20.0
SUBJECT_CHARACTERS_MAX = 200
IMPLICIT_TLS_PORT = 465  #: submissions (RFC 8314): TLS from the first byte
_COLOURS = {
    Severity.INFO: "#0d6efd",
    Severity.WARNING: "#ff9800",
    Severity.ERROR: "#dc3545",
    Severity.CRITICAL: "#8b0000",
}
_OVER = "#28a745"
#: 552 too large, 553 no such address, 554 refused: said again, it is answered again.
_PERMANENT = frozenset({550, 551, 552, 553, 554})


@dataclass(slots=True)
class MailVoice:
    """Tells by one mail server. `password` is a secret; empty: none is asked for."""

    name: str
    spec: Email
    password: str
    trust: Callable[[], ssl.SSLContext]
    threads: ThreadPoolExecutor

    async def send(self, notice: Notice) -> None:
        """See `Channel.send`."""
        message = written(self.spec, notice)
        await asyncio.get_running_loop().run_in_executor(self.threads, self._send, message)

    def _send(self, message: EmailMessage) -> None:
        try:
            with self._connected() as server:
                if self.spec.user is not None:
                    server.login(self.spec.user, self.password)
                server.send_message(message)
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise self._not_sent(error) from None

    def _connected(self) -> smtplib.SMTP:
        host, port = self.spec.host, self.spec.port
        if port == IMPLICIT_TLS_PORT:
            return smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_SECONDS, context=self.trust())
        server = smtplib.SMTP(host, port, timeout=TIMEOUT_SECONDS)
        try:
            server.starttls(context=self.trust())
        except BaseException:
            server.close()
            raise
        return server

    def _not_sent(self, error: Exception) -> ChannelError:
        """What went wrong, without anything the far side may have said back of a password."""
        place = f"{self.spec.host}, port {self.spec.port}"
        match error:
            case smtplib.SMTPAuthenticationError():
                words = f"{place} does not take the user {self.spec.user} with this password"
                return ChannelError(words, hint="give its secret a new version")
            case smtplib.SMTPNotSupportedError():
                return ChannelError(f"{place} offers no STARTTLS, and nothing is mailed without")
            case ssl.SSLCertVerificationError():
                words = f"the certificate of {place} does not hold: {error.verify_message}"
                return ChannelError(words)
            case smtplib.SMTPRecipientsRefused():
                codes = {code for code, _ in error.recipients.values()}
                kind = ChannelRefused if codes <= _PERMANENT else ChannelError
                return kind(f"{place} takes no mail for {', '.join(sorted(error.recipients))}")
            case smtplib.SMTPResponseException():
                kind = ChannelRefused if error.smtp_code in _PERMANENT else ChannelError
                return kind(f"{place} answered {error.smtp_code}")
            case OSError() if error.strerror:
                return ChannelError(f"{place}: {error.strerror}")
            case _:
                return ChannelError(f"{place}: {type(error).__name__}")


def written(spec: Email, notice: Notice) -> EmailMessage:
    """The notice as a message."""
    domain = spec.sender.rpartition("@")[2]
    message = EmailMessage(policy=SMTP)
    message["Subject"] = _line(f"[{_word(notice)}] {notice.title}")[:SUBJECT_CHARACTERS_MAX]
    message["From"] = spec.sender
    message["To"] = ", ".join(spec.to)
    message["Date"] = format_datetime(notice.at)
    message["Message-ID"] = _id(notice.key, domain)
    if notice.thread:
        message["References"] = _id(notice.thread, domain)
        message["X-Runyard-Incident"] = _line(notice.thread)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nothing shall answer it by itself
    message.set_content(plain(notice))
    message.add_alternative(html(notice), subtype="html")
    return message


def plain(notice: Notice) -> str:
    """The text of it."""
    width = max((len(name) for name, _ in notice.facts), default=0) + 1
    lines = [notice.title, "", notice.text, ""]
    lines += [f"{f'{name}:':<{width}} {value}" for name, value in notice.facts]
    if notice.link:
        lines += ["", notice.link]
    return "\n".join(lines) + "\n"


def html(notice: Notice) -> str:
    """The same for programs that show HTML; nothing in it is read as such."""
    colour = _OVER if notice.kind is NoticeKind.RESOLVED else _COLOURS[notice.severity]
    rows = "".join(
        f"<tr><th align='left'>{escape(name)}</th><td>{escape(value)}</td></tr>"
        for name, value in notice.facts
    )
    link = f"<p><a href='{escape(notice.link)}'>Open</a></p>" if notice.link else ""
    text = "<br>".join(escape(line) for line in notice.text.splitlines())
    return (
        f"<html><body><h2 style='color: {colour}'>{escape(notice.title)}</h2>"
        f"<p>{text}</p><table cellpadding='4'>{rows}</table>{link}</body></html>\n"
    )


def _word(notice: Notice) -> str:
    quiet = notice.kind in (NoticeKind.RESOLVED, NoticeKind.ACKNOWLEDGED, NoticeKind.TEST)
    return str(notice.kind if quiet else notice.severity).upper()


def _id(key: str, domain: str) -> str:
    return f"<{hashlib.sha256(key.encode()).hexdigest()[:40]}@{domain}>"


def _line(text: str) -> str:
    """`text` on one line: a header has no other."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
