"""The log: one JSON object a line, as Cloud Logging reads it. No secret ever gets here."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from typing import Any

from runyard_runner.model.result import dump, instant
from runyard_runner.rules.masking import Mask
from runyard_runner.rules.tracing import Trace

#: In the order of their weight; what is below LOG_LEVEL is not written.
SEVERITIES = ("DEBUG", "INFO", "WARNING", "ERROR")


class Journal:
    """Writes records."""

    def __init__(
        self,
        write: Callable[[bytes], object],
        clock: Callable[[], int],
        mask: Mask,
        level: str = "INFO",
        project: str = "",
    ) -> None:
        self._write = write
        self._clock = clock
        self._mask = mask
        self._least = SEVERITIES.index(level)
        self._project = project

    def record(
        self, severity: str, message: str, trace: Trace | None = None, **fields: Any
    ) -> None:
        """Write one line. `fields` stand beside the message."""
        if SEVERITIES.index(severity) < self._least:
            return
        line: dict[str, Any] = {
            "severity": severity,
            "time": instant(self._clock()),
            "message": message,
            **fields,
        }
        if trace is not None:
            line["logging.googleapis.com/trace"] = trace.log_name(self._project)
            line["logging.googleapis.com/spanId"] = trace.span_id
            line["logging.googleapis.com/trace_sampled"] = trace.sampled
        self._write(self._mask.content(dump(line)) + b"\n")

    def fault(self, message: str, error: BaseException, trace: Trace | None = None) -> None:
        """Write down a fault of ours, with where it happened."""
        stack = "".join(traceback.format_exception(error))
        self.record("ERROR", message, trace, stack=stack)


class JournalHandler(logging.Handler):
    """What libraries log, written into the journal."""

    def __init__(self, journal: Journal) -> None:
        super().__init__()
        self._journal = journal

    def emit(self, record: logging.LogRecord) -> None:
        severity = record.levelname if record.levelname in SEVERITIES else "ERROR"
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            self._journal.fault(record.getMessage(), error)
        else:
            self._journal.record(severity, record.getMessage(), logger=record.name)
