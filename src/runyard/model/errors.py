"""Every error the platform raises. A job that fails is a value (`Outcome`), never one of these.

    PlatformError                       code (google.rpc name), transient, hint, faults
    |- CallerError                      you can mend it
    |  |- InvalidSpec                   INVALID_ARGUMENT     every fault at once
    |  |- Unauthenticated               UNAUTHENTICATED
    |  |- PermissionDenied              PERMISSION_DENIED
    |  |- NotFound                      NOT_FOUND
    |  |- AlreadyExists                 ALREADY_EXISTS
    |  |- IllegalTransition             FAILED_PRECONDITION  state, event
    |  |- Refused                       FAILED_PRECONDITION  the state of things forbids it
    |  |- StalePlan                     ABORTED              plan again, look, apply
    |  |- StaleEtag                     ABORTED              read it again, change that
    |  `- QuotaExceeded                 RESOURCE_EXHAUSTED
    |- StoreError
    |  |- StaleVersion                  ABORTED              transient: reload, decide again
    |  |- StoreUnavailable              UNAVAILABLE          transient
    |  |- StoreFull                     RESOURCE_EXHAUSTED   transient: free some disk
    |  `- SchemaMismatch                FAILED_PRECONDITION  run `runyard migrate`
    |- ProviderError                    provider, operation, attempt key
    |  |- ProviderUnavailable           UNAVAILABLE          transient
    |  |- ProviderTimeout               DEADLINE_EXCEEDED    transient; the work may have been done
    |  `- ProviderRefused               FAILED_PRECONDITION  permanent
    |- ChannelError                     UNAVAILABLE          transient; like ProviderError
    |  `- ChannelRefused                FAILED_PRECONDITION  permanent
    |- ServerUnavailable                UNAVAILABLE          transient; no server answers the CLI
    |- OutputLost                       RESOURCE_EXHAUSTED   the CLI's output takes no more
    `- ConfigError                      at start only: all faults at once

Codes are Google's canonical ones (google.rpc.Code) and the only codes; `api/errors.py` holds the
one table to HTTP status and CLI exit status.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar


class Code(StrEnum):
    """Google's canonical error codes that Runyard uses, by name."""

    CANCELLED = "CANCELLED"
    INVALID_ARGUMENT = "INVALID_ARGUMENT"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    NOT_FOUND = "NOT_FOUND"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    RESOURCE_EXHAUSTED = "RESOURCE_EXHAUSTED"
    FAILED_PRECONDITION = "FAILED_PRECONDITION"
    ABORTED = "ABORTED"
    UNAVAILABLE = "UNAVAILABLE"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    INTERNAL = "INTERNAL"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with an input.

    `path` is the field path (`jobs.report.template.taskCount`), `value` what was there (already
    shortened and made printable), `expected` what would be right, `hint` what to do, such as
    "did you mean 'taskCount'?". `file`, `line` and `column` (both from 1) where they are known.
    """

    path: str
    value: str
    expected: str
    hint: str = ""
    file: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}: " if self.line else ""
        hint = f" ({self.hint})" if self.hint else ""
        value = f" is {self.value}" if self.value else ""
        return f"{where}{self.path}{value}: expected {self.expected}{hint}"


class PlatformError(Exception):
    """What every deliberate error is. `transient`: the same call may succeed later."""

    code: ClassVar[Code] = Code.INTERNAL
    transient: ClassVar[bool] = False

    def __init__(self, message: str, *, hint: str = "", faults: tuple[Fault, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.faults = faults

    @property
    def advice(self) -> str:
        """What is wrong and what to do about it, in one line."""
        return f"{self.message}; {self.hint}" if self.hint else self.message


class CallerError(PlatformError):
    """The caller can mend it."""

    code = Code.INVALID_ARGUMENT


class InvalidSpec(CallerError):
    """An input is wrong; `faults` names every fault found, not only the first."""

    code = Code.INVALID_ARGUMENT


class Unauthenticated(CallerError):
    """No token, or one we do not know."""

    code = Code.UNAUTHENTICATED


class PermissionDenied(CallerError):
    """A known caller without the right."""

    code = Code.PERMISSION_DENIED


class NotFound(CallerError):
    """There is no such thing."""

    code = Code.NOT_FOUND


class AlreadyExists(CallerError):
    """There is one already, and it is a different one."""

    code = Code.ALREADY_EXISTS


class Refused(CallerError):
    """The state of things forbids it; the message says which state."""

    code = Code.FAILED_PRECONDITION


class StalePlan(CallerError):
    """A plan's token does not fit how things are now: make a new plan, look at it, apply that."""

    code = Code.ABORTED


class StaleEtag(CallerError):
    """An etag is not the present one: somebody else changed the thing. Read it again first."""

    code = Code.ABORTED


class IllegalTransition(Refused):
    """The lifecycle's table has no such step."""


class QuotaExceeded(CallerError):
    """A limit is reached; the message names the limit and its value."""

    code = Code.RESOURCE_EXHAUSTED


class StoreError(PlatformError):
    """The database failed us."""

    code = Code.UNAVAILABLE


class StaleVersion(StoreError):
    """Somebody wrote the row first: reload and decide again."""

    code = Code.ABORTED
    transient = True


class StoreUnavailable(StoreError):
    """The database does not answer."""

    transient = True


class StoreFull(StoreError):
    """The disk (or the database's quota) is full; nothing was written."""

    code = Code.RESOURCE_EXHAUSTED
    transient = True


class SchemaMismatch(StoreError):
    """The database has another schema version than this program."""

    code = Code.FAILED_PRECONDITION


class FarSideError(PlatformError):
    """What a provider and a channel have in common: it happened on the other side. `reason` is the
    other side's own word for why, such as Google's code; empty where it has none."""

    def __init__(
        self,
        message: str,
        *,
        name: str = "",
        operation: str = "",
        key: str = "",
        hint: str = "",
        reason: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.name = name
        self.operation = operation
        self.key = key
        self.reason = reason


class ProviderError(FarSideError):
    """A provider failed; `name`, `operation` and attempt `key` say where."""


class ProviderUnavailable(ProviderError):
    """It did not answer, or asked us to come back; nothing was done."""

    code = Code.UNAVAILABLE
    transient = True


class ProviderTimeout(ProviderError):
    """It did not answer in time; the work may have been done."""

    code = Code.DEADLINE_EXCEEDED
    transient = True


class ProviderRefused(ProviderError):
    """It said no, and will say no again."""

    code = Code.FAILED_PRECONDITION


class ChannelError(FarSideError):
    """A channel failed. `again_seconds`: how long it asks to be left alone; 0: it did not say."""

    code = Code.UNAVAILABLE
    transient = True

    def __init__(
        self,
        message: str,
        *,
        name: str = "",
        operation: str = "send",
        key: str = "",
        hint: str = "",
        again_seconds: float = 0.0,
    ) -> None:
        super().__init__(message, name=name, operation=operation, key=key, hint=hint)
        self.again_seconds = again_seconds


class ChannelRefused(ChannelError):
    """A channel will not take this, however often it is told."""

    code = Code.FAILED_PRECONDITION
    transient = False


class ServerUnavailable(PlatformError):
    """No Runyard server answers a client of its API, or it is not ready yet."""

    code = Code.UNAVAILABLE
    transient = True


class OutputLost(PlatformError):
    """What a command prints cannot be written, for instance to a full disk. (A reader who has seen
    enough and closes a pipe is no error.)"""

    code = Code.RESOURCE_EXHAUSTED


class ConfigError(PlatformError):
    """The settings are wrong; `faults` names all of them. Raised at start only."""

    code = Code.INVALID_ARGUMENT
