"""What Google's conditions and task results say, word for word where its words are known. Pure.

Sources of the sentences: output of `gcloud run jobs executions describe` and system log lines of
jobs, as quoted in public issues. Those marked `ours` have no known counterpart.
"""

from __future__ import annotations

import math
import signal
from datetime import timedelta

from runyard.localcloud.cloudrun.names import task_name
from runyard.localcloud.cloudrun.resources import FailedTask, Tally
from runyard.localcloud.spawner.port import TaskEnd
from runyard.model.quantities import MIB

EXITED = "The container exited with an error."
TIMED_OUT = "The configured timeout was reached."
LOST = "The task was lost: what supervised it died, and whatever it had left was removed."  # ours
_MEMORY_PAGE = "https://cloud.google.com/run/docs/configuring/memory-limits"


def attempt_message(end: TaskEnd, memory_bytes: int) -> str:
    """Why a task attempt did not succeed, and what became of its output when that is not whole;
    empty when there is nothing to say."""
    if end.lost:
        return f"{LOST} {end.message}".strip()
    if end.not_started:
        return f"The command could not be executed: {end.message}"  # ours
    if end.out_of_memory:
        limit, used = memory_bytes // MIB, math.ceil(end.memory_peak_bytes / MIB)
        return (
            f"Memory limit of {limit} MiB exceeded with {max(used, limit)} MiB used."
            f" Consider increasing the memory limit, see {_MEMORY_PAGE}"
        )
    if end.timed_out:
        return TIMED_OUT
    if end.stopped:
        return "The task was cancelled."  # ours
    # The spawner's message here is of output that was dropped: on a full disk no log tells it.
    return end.message if end.exit_code == 0 else f"{EXITED} {end.message}".strip()


def failure_message(execution: str, tally: Tally) -> str:
    """Google names one task; we add how many others failed."""
    first = tally.failures[0]
    more = tally.failed_count - 1
    others = f" ({more} more {'task' if more == 1 else 'tasks'} failed.)" if more else ""
    return f"Task {task_name(execution, first.index)} {_failed(first)}{others}"


def _failed(task: FailedTask) -> str:
    if task.timed_out:
        return f"failed with message: {task.message}"
    if task.exit_code is not None:
        return f"failed with exit code: {task.exit_code} and message: {task.message}"
    if task.signal is not None:
        return f"failed with signal: {signal_name(task.signal)} and message: {task.message}"
    return f"failed with message: {task.message}"


def signal_name(number: int) -> str:
    """`SIGKILL` for 9; the number itself for one without a name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


def duration_text(length: timedelta) -> str:
    """As Google writes it in conditions: `1m58.04s`, `56.03s`, `2h0m3s`."""
    centis = round(length.total_seconds() * 100)
    minutes, centis = divmod(centis, 6000)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{centis / 100:.2f}".rstrip("0").rstrip(".")
    if hours:
        return f"{hours}h{minutes}m{seconds}s"
    return f"{minutes}m{seconds}s" if minutes else f"{seconds}s"
