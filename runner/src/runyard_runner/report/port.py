"""What sends reports, and where to. Nothing is imported here that a service without mail loads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from runyard_runner.model.result import Summary

#: Sends the report of a summary (which kind of execution it was: `context`). Never raises.
Send = Callable[["Mailbox", Summary, str], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A mail server, who sends, and who is told. `ca_file`: certificates to trust besides."""

    host: str
    port: int
    user: str
    password: str
    sender: str
    recipients: tuple[str, ...]
    ca_file: str = ""

    @property
    def missing(self) -> list[str]:
        """The settings without which nothing can be sent."""
        needed = {
            "SMTP_USER": self.user,
            "SMTP_PASSWORD": self.password,
            "EMAIL_FROM": self.sender,
            "EMAIL_TO": self.recipients,
        }
        return [name for name, value in needed.items() if not value]
