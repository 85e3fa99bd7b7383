"""What the demo says at its end: what happened, what came of it, what it cost, where to look."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from rich.console import Console
from rich.text import Text

from runyard.cli import output
from runyard.cli.demo.findings import Findings
from runyard.cli.demo.incident import Telling
from runyard.cli.output import printable
from runyard.cli.run_lines import tasks, took
from runyard.cli.tables import table
from runyard.cli.times import parse
from runyard.flow import costing
from runyard.model.cost import Charge, Credit, Tier
from runyard.model.outcome import Usage

Document = dict[str, Any]
_REF_MIN = 14  #: characters of an id: `run_` and the instant of the request


@dataclass(frozen=True, slots=True)
class Story:
    """All that there is to tell. `runs` are as `play.told` gives them."""

    runs: Sequence[Document]
    findings: Findings
    sentences: Sequence[str]
    explained: str
    differences: Sequence[str]
    telling: Telling
    credit: Credit = field(default_factory=Credit)

    @property
    def nano_dollars(self) -> int:
        """What all runs cost."""
        return sum(int(run["cost_nano_dollars"]) for run in self.runs)


def tell(story: Story) -> None:
    """Prints it."""
    heading("What happened")
    refs = short([run["id"] for run in story.runs])
    explained = next(
        ref for ref, run in zip(refs, story.runs, strict=True) if run["id"] == story.explained
    )
    table(
        ("run", "job", "state", "attempts", "tasks", "took", "cost", "why"),
        [
            (
                ref,
                run["job"],
                run["state"],
                f"{run['attempt']} of {run['attempts_max']}",
                tasks(run),
                took(run),
                run["cost"],
                why(run),
            )
            for ref, run in zip(refs, story.runs, strict=True)
        ],
    )
    heading(story.findings.title)
    table(story.findings.headings, story.findings.rows)
    output.line(story.findings.sentence)
    heading("Who was told: a receiver of signed webhooks, until it was over by itself")
    for message in story.telling.messages:
        output.line(f"{message['type']:<18}  {printable(message['data']['title'])}")
    heading("What is offered")
    for sentence in offers(story.runs):
        paragraph(sentence)
    heading("What it cost")
    for sentence in cost(story.nano_dollars, story.credit):
        output.line(sentence)
    heading(f"Why, for one of them: runyard explain {explained}")
    for sentence in dict.fromkeys(story.sentences):  # what is true of each attempt, once
        paragraph(sentence)


def heading(text: str) -> None:
    """A line that begins a part."""
    output.line()
    paragraph(text if sys.stdout.isatty() else f"== {text}", style="bold")


def paragraph(text: str, style: str = "") -> None:
    """A text that a terminal breaks between words, and a pipe not at all."""
    if sys.stdout.isatty():
        sys.stdout.flush()
        Console(highlight=False).print(Text(text, style=style))
    else:
        output.line(text)


def short(runs: Sequence[str]) -> list[str]:
    """The beginnings of ids, as short as commands can tell them apart."""
    length = _REF_MIN
    while len({run[:length] for run in runs}) < len(set(runs)):
        length += 1
    return [run[:length] for run in runs]


def why(run: Document) -> str:
    """How the attempts ended, or the run's own reason where there was only one."""
    if len(run["attempts"]) == 1:
        return str(run["reason"])
    return ", ".join(
        f"{attempt['number']}: {_ending(attempt['outcome'] or {})}" for attempt in run["attempts"]
    )


def _ending(outcome: Mapping[str, Any]) -> str:
    codes = {failure["exit_code"] for failure in outcome.get("failures", ())} - {None}
    said = str(outcome.get("ending", "")).replace("_", " ")
    if codes:
        return f"{said} (exit code {', '.join(map(str, sorted(codes)))})"
    known = outcome.get("failure") or {}
    return f"{said} ({known['shortage'] or known['failure_class']})" if known else said


def offers(runs: Sequence[Document]) -> list[str]:
    """What worked for a run and could be its job's own."""
    return [
        f"{run['job']} succeeded with it: set {offer['path']} to {offer['value']}"
        for run in runs
        for offer in run["offers"]
    ]


def credit(runs: Sequence[Document]) -> Credit:
    """What the free tier of a month takes off the charges of `runs`, if nothing else uses it."""
    return costing.free_tier(
        _charge(attempt["charge"]) for run in runs for attempt in run["attempts"]
    )


def _charge(document: Document) -> Charge:
    return Charge(
        key=document.get("key", ""),
        at=parse(document["at"]),
        region=document["region"],
        tier=Tier(document["tier"]),
        tier_assumed=document["tier_assumed"],
        price_table=date.fromisoformat(document["price_table"]),
        vcpu_nano_dollars=document["vcpu_nano_dollars"],
        memory_nano_dollars=document["memory_nano_dollars"],
        usage=Usage(**document["usage"]),
    )


def cost(nano_dollars: int, credit: Credit) -> list[str]:
    """The list price, and what of it would be paid."""
    rest = nano_dollars - credit.nano_dollars
    return [
        f"{costing.display(nano_dollars)} by Cloud Run's list prices: every task attempt is billed "
        "for at least a minute.",
        f"{costing.display(credit.nano_dollars)} of it is inside the free tier of a month, if "
        f"nothing else has used that up: {costing.display(rest)} to pay.",
        "On this machine nothing was paid to anybody.",
    ]


def document(story: Story) -> Document:
    """The same for programs."""
    names = (
        "id", "job", "state", "attempt", "attempts_max", "duration_seconds", "reason",
        "cost_nano_dollars",
    )  # fmt: skip
    return {
        "ok": not story.differences,
        "differences": list(story.differences),
        "runs": [{name: run[name] for name in names} for run in story.runs],
        "result": story.findings.figures,
        "cost_nano_dollars": story.nano_dollars,
        "free_tier_nano_dollars": story.credit.nano_dollars,
        "incident": story.telling.incident,
        "told": [message["type"] for message in story.telling.messages],
        "offers": [{"job": run["job"], **offer} for run in story.runs for offer in run["offers"]],
        "explained": story.explained,
        "explanation": list(story.sentences),
    }
