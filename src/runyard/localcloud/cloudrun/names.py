"""How executions, tasks and task attempts are called."""

from __future__ import annotations

from uuid import UUID

# "<job>-<5 lowercase letters or digits>", as Google's own (seen: -54fxl, -rmxlb).
_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
SUFFIX_LENGTH = 5


def execution_name(job: str, chance: int) -> str:
    """A name for a new execution of `job`; `chance` is any large random number."""
    suffix = ""
    for _ in range(SUFFIX_LENGTH):
        chance, digit = divmod(chance, len(_ALPHABET))
        suffix += _ALPHABET[digit]
    return f"{job}-{suffix}"


def task_name(execution: str, index: int) -> str:
    """Google's name of a task."""
    return f"{execution}-task{index}"


def attempt_name(execution: str, index: int, attempt: int) -> str:
    """The key of one task attempt at the spawner."""
    return f"{task_name(execution, index)}/{attempt}"


def split_attempt_name(key: str) -> tuple[str, int, int] | None:
    """The execution, index and attempt in a key; None when it is no such key."""
    task, _, attempt = key.rpartition("/")
    execution, found, index = task.rpartition("-task")
    if not (found and execution and index.isdecimal() and attempt.isdecimal()):
        return None
    return execution, int(index), int(attempt)


def log_name(execution: str) -> str:
    """The name of an execution's log file."""
    return f"{execution}.log"


def uid(chance: int) -> str:
    """A UUID4 of 128 random bits."""
    return str(UUID(int=chance & ((1 << 128) - 1), version=4))
