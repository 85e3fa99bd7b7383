"""What a followed run looks like: log lines, state changes, a bar of tasks, a last line.

Log lines are the result and go to stdout; the rest is told beside it, on stderr. With a terminal
on stderr the rest is a live bar at the bottom.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from runyard.cli import output
from runyard.cli.follow import RECONNECTING
from runyard.cli.run_lines import failures, is_ours, prefix, summary
from runyard.cli.sse import Event
from runyard.cli.styles import STYLES, TASK_STYLES

Document = dict[str, Any]
_SEVERITY_STYLES = {"WARNING": "yellow", "ERROR": "red", "CRITICAL": "red", "ALERT": "red"}


class Display(Protocol):
    """Shows events of runs, given the run's place among those that are followed."""

    def show(self, place: int, event: Event) -> None:
        """One event."""

    def close(self) -> None:
        """Takes the live part away."""


def chosen(runs: Sequence[Document], *, as_json: bool) -> Display:
    """The display that fits where stdout and stderr go."""
    if as_json:
        return JsonLines()
    return Live(runs) if sys.stderr.isatty() else Plain(runs)


class JsonLines:
    """`{"event": …, "data": …}`, a line for each event."""

    def show(self, place: int, event: Event) -> None:
        """One event; the place says nothing that the data do not."""
        output.json_line({"event": event.kind, "data": event.data})

    def close(self) -> None:
        """Nothing to take away."""


class Plain:
    """Lines without colours."""

    def __init__(self, runs: Sequence[Document]) -> None:
        self.runs = runs
        self.said = Said()

    def show(self, place: int, event: Event) -> None:
        """One event as a line, or several."""
        region = self.runs[place]["region"] if len(self.runs) > 1 else ""
        if event.kind == "log" and not is_ours(event.data):
            output.line(f"{prefix(event.data, region)} {event.data['text']}", at_once=True)
        for text in self.said.news(place, event, region):
            output.note(text)

    def close(self) -> None:
        """Nothing to take away."""


class Live:
    """Colours and a bar for each run."""

    def __init__(self, runs: Sequence[Document]) -> None:
        self.runs = runs
        self.said = Said()
        self.out = Console(soft_wrap=True, highlight=False)
        self.error = Console(stderr=True, highlight=False)
        # Both on one terminal: Rich has to write both, else the bar is torn by the log.
        self.log_console = self.error if self.out.is_terminal else self.out
        self.progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[counts]}"),
            TimeElapsedColumn(),
            console=self.error,
            transient=True,
        )
        self.bars = [
            self.progress.add_task(
                f"{run['job']} {run['region']}", total=run["task_count"] or 1, counts=run["state"]
            )
            for run in runs
        ]
        self.progress.start()

    def show(self, place: int, event: Event) -> None:
        """One event."""
        region = self.runs[place]["region"] if len(self.runs) > 1 else ""
        if event.kind == "log" and not is_ours(event.data):
            self._log(event.data, region)
        elif event.kind == "progress":
            self.progress.update(
                self.bars[place],
                completed=event.data["succeeded_count"] + event.data["failed_count"],
                total=event.data["task_count"] or 1,
                counts=counts(event.data),
            )
        for text in self.said.news(place, event, region):
            self.progress.console.print(Text(text, style=STYLES.get(_state(event), "dim")))

    def close(self) -> None:
        """Takes the bars away."""
        self.progress.stop()

    def _log(self, entry: Document, region: str) -> None:
        style = TASK_STYLES[entry["task"] % len(TASK_STYLES)]
        text = Text.from_ansi(entry["text"])  # keeps colours, drops what moves the cursor
        text.stylize(_SEVERITY_STYLES.get(entry["severity"], ""))
        head = (f"{prefix(entry, region)} ", style)
        self.log_console.print(Text.assemble(head, text), soft_wrap=True)


def counts(progress: Document) -> str:
    """`3/12 succeeded, 1 failed, 4 running`."""
    parts = [f"{progress['succeeded_count']}/{progress['task_count']} succeeded"]
    for word in ("failed", "running", "cancelled", "retried"):
        if progress[f"{word}_count"]:
            parts.append(f"{progress[f'{word}_count']} {word}")
    return ", ".join(parts)


def told(event: Event, region: str) -> list[str]:
    """The lines that tell an event other than a log entry; none for mere progress."""
    where = f"{region}: " if region else ""
    if event.kind == "run":
        return [f"{where}{_change(event.data)}"]
    if event.kind == "end":
        return [*(f"{where}{line}" for line in failures(event.data)), summary(event.data)]
    if event.kind == "log" and is_ours(event.data):
        return [f"{prefix(event.data, region)} note: {output.printable(event.data['text'])}"]
    if event.kind == RECONNECTING:
        return [f"{where}connection lost, trying again"]
    return []


class Said:
    """What was told of each run. A run is sent whenever its row changes, and a note comes with
    every attempt: what would be told in the same words is not told again."""

    def __init__(self) -> None:
        self._texts: set[tuple[int, str]] = set()

    def news(self, place: int, event: Event, region: str) -> list[str]:
        """The lines of `told` that are new of the run at `place`."""
        texts = told(event, region)
        if event.kind not in ("run", "log"):
            return texts
        new = [text for text in texts if (place, text) not in self._texts]
        self._texts.update((place, text) for text in new)
        return new


def _change(run: Document) -> str:
    attempt = f", attempt {run['attempt']} of {run['attempts_max']}" if run["attempt"] else ""
    waits = f", waits for {run['waiting_on']}" if run["waiting_on"] else ""
    # While the next attempt is out, the reason is still the last one's.
    is_past = run["state"] in ("launching", "running")
    reason = f": {output.printable(run['reason'])}" if run["reason"] and not is_past else ""
    return f"{run['id']} {run['state']}{attempt}{waits}{reason}"


def _state(event: Event) -> str:
    return str(event.data.get("state", ""))
