"""What may go wrong in front of a person, and what it is as an HTTP and as an exit status.

    RunnerError            message, hint (what to do next)
    ├─ SettingsError       at start: all faults at once, each with its variable
    ├─ UsageError          a command's arguments
    ├─ RequestError        a request that cannot be done; each fault with its field
    ├─ TooLargeError       more than a limit lets in
    ├─ Unauthenticated     no key or token, or one that does not hold
    ├─ Forbidden           a caller we know, who may not
    ├─ KeyReused           an idempotency key that came with another request
    └─ Unavailable         stopping, or a part we need did not answer

An endpoint that fails is none of these: it is a `Result`, and the others go on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: where, what stood there, and what was expected."""

    field: str
    value: str
    expected: str

    def __str__(self) -> str:
        return f"{self.field}: {self.value} is not {self.expected}"


class RunnerError(Exception):
    """Anything a person is told instead of a traceback."""

    code = "INTERNAL"
    http_status = 500
    exit_status = 70

    def __init__(self, message: str, hint: str = "", faults: Sequence[Fault] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.faults = tuple(faults)

    def as_json(self) -> dict[str, object]:
        """The error as an answer says it."""
        said: dict[str, object] = {"code": self.code, "message": self.message}
        if self.hint:
            said["hint"] = self.hint
        if self.faults:
            said["faults"] = [
                {"field": each.field, "value": each.value, "expected": each.expected}
                for each in self.faults
            ]
        return {"success": False, "error": said}


class SettingsError(RunnerError):
    """The environment does not say what the service needs."""

    code = "INVALID_ARGUMENT"
    exit_status = 78


class UsageError(RunnerError):
    """A command was called with arguments that make no sense."""

    code = "INVALID_ARGUMENT"
    exit_status = 64


class RequestError(RunnerError):
    """A request that cannot be done as it is."""

    code = "INVALID_ARGUMENT"
    http_status = 400
    exit_status = 64


class TooLargeError(RunnerError):
    """A request that is larger than a limit."""

    code = "RESOURCE_EXHAUSTED"
    http_status = 413
    exit_status = 64


class Unauthenticated(RunnerError):
    """Nobody we know."""

    code = "UNAUTHENTICATED"
    http_status = 401
    exit_status = 77


class Forbidden(RunnerError):
    """Somebody who may not."""

    code = "PERMISSION_DENIED"
    http_status = 403
    exit_status = 77


class KeyReused(RunnerError):
    """An idempotency key that is known from another request."""

    code = "FAILED_PRECONDITION"
    http_status = 422
    exit_status = 65


class Unavailable(RunnerError):
    """Not now."""

    code = "UNAVAILABLE"
    http_status = 503
    exit_status = 69
