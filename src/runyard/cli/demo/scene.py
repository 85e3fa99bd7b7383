"""What is seen while the jobs run: a line for all that happens, and bars on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from runyard.cli import output
from runyard.cli.display import counts
from runyard.cli.output import printable
from runyard.cli.run_lines import took
from runyard.cli.sse import Event
from runyard.cli.styles import STYLES, TASK_STYLES
from runyard.cli.surroundings import now
from runyard.cli.times import parse, span
from runyard.model.run import FINAL

Document = dict[str, Any]
_SILENT = frozenset({"queued", "launching"})
_SEVERITY_STYLES = {"WARNING": "yellow", "ERROR": "red", "CRITICAL": "red"}


class Scene(Protocol):
    """Shows what happens to runs, given their places."""

    def show(self, place: int, event: Event) -> None:
        """One event."""

    def close(self) -> None:
        """Takes the moving part away."""


class Silence:
    """Shows nothing: for `--json`."""

    def show(self, place: int, event: Event) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


class Told:
    """Which line tells an event. Each state is told once, however often its run is sent."""

    def __init__(self, names: Sequence[str], began_at: datetime) -> None:
        self.names = names
        self.width = max(map(len, names))
        self.began_at = began_at
        self.last: dict[int, tuple[str, int]] = {}

    def head(self, place: int) -> str:
        """`  1.4s  reindex      `."""
        seconds = (now() - self.began_at).total_seconds()
        return f"{seconds:5.1f}s  {self.names[place]:<{self.width}}  "

    def words(self, place: int, event: Event) -> str:
        """What happened; empty when there is nothing to tell."""
        if event.kind == "log":
            return f"[{event.data['task']}] {printable(event.data['text'])}"
        if event.kind not in ("run", "end"):
            return ""
        step = (event.data["state"], event.data["attempt"])
        if self.last.get(place) == step or step[0] in _SILENT:
            return ""
        self.last[place] = step
        return changed(event.data)


def changed(run: Document) -> str:
    """The words for a run that has come into its state."""
    state, reason = run["state"], printable(run["reason"])
    attempt = f"attempt {run['attempt']} of {run['attempts_max']}"
    if state == "running":
        return f"running, {attempt}"
    if state == "backing_off":
        wait = parse(run["due_at"]) - now() if run["due_at"] else None
        again = f"; again in {span(max(0.1, wait.total_seconds()))}" if wait else ""
        return f"backing_off, {attempt} failed{again}"
    if state in FINAL:
        after = f" after {took(run)}" if took(run) else ""
        return f"{state}{after}: {reason}"
    return f"{state}: {reason}"


class Plain:
    """Lines without colours, written at once."""

    def __init__(self, told: Told) -> None:
        self.told = told

    def show(self, place: int, event: Event) -> None:
        """One event as a line."""
        words = self.told.words(place, event)
        if words:
            output.line(self.told.head(place) + words, at_once=True)

    def close(self) -> None:
        """Nothing to take away."""


class Live:
    """Lines in colour over a bar for each run."""

    def __init__(self, told: Told, runs: Sequence[Document]) -> None:
        self.told = told
        self.progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[counts]}"),
            TimeElapsedColumn(),
            console=Console(highlight=False),
            transient=True,
        )
        self.bars = [
            self.progress.add_task(name, total=run["task_count"] or 1, counts="")
            for name, run in zip(told.names, runs, strict=True)
        ]
        self.progress.start()

    def show(self, place: int, event: Event) -> None:
        """One event."""
        self._move(self.bars[place], event)
        words = self.told.words(place, event)
        if words:
            head = self.told.head(place)
            line = Text.assemble((head[:8], "dim"), head[8:], (words, _style(event)))
            self.progress.console.print(line)

    def _move(self, bar: TaskID, event: Event) -> None:
        """A bar shows the tasks of one attempt; between two attempts it is empty."""
        if event.kind == "progress":
            done = event.data["succeeded_count"]
            self.progress.update(bar, completed=done, counts=counts(event.data))
        elif event.kind == "end":
            self.progress.update(bar, counts=event.data["state"])
            self.progress.stop_task(bar)
        elif event.kind == "run" and event.data["state"] == "backing_off":
            self.progress.update(bar, completed=0, counts="backing off")

    def close(self) -> None:
        """Takes the bars away."""
        self.progress.stop()


def _style(event: Event) -> str:
    if event.kind == "log":
        usual = TASK_STYLES[event.data["task"] % len(TASK_STYLES)]
        return _SEVERITY_STYLES.get(event.data["severity"], usual)
    return STYLES.get(event.data.get("state", ""), "")


def chosen(
    names: Sequence[str], runs: Sequence[Document], began_at: datetime, *, as_json: bool
) -> Scene:
    """The scene that fits where stdout goes. What happens is told in seconds after `began_at`."""
    if as_json:
        return Silence()
    told = Told(names, began_at)
    return Live(told, runs) if sys.stdout.isatty() else Plain(told)
