"""Runs the jobs of the demo at the same time and follows them to their ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from runyard.cli import follow_many
from runyard.cli.client import Client
from runyard.cli.demo.bank import Bank
from runyard.cli.demo.ground import Ground
from runyard.cli.demo.jobs import DemoJob, manifests
from runyard.cli.demo.scene import Scene
from runyard.cli.run_ref import path
from runyard.cli.sse import Event
from runyard.cli.surroundings import pause

Document = dict[str, Any]
CANCEL_REASON = "the demo has seen enough"
_RELEASE_TRIES, _RELEASE_PAUSE_SECONDS = 100, 0.1


def bring(client: Client, bank: Bank) -> None:
    """Brings the jobs into force."""
    client.post("/jobs:apply", {"files": manifests(bank.port)})


def ask(client: Client, jobs: Sequence[DemoJob]) -> list[Document]:
    """Asks for a run of each job; the runs."""
    asked = ({"job": job.name, "overrides": {"env": job.env} if job.env else None} for job in jobs)
    return [client.post("/runs", _given(body))["runs"][0] for body in asked]


def _given(body: Document) -> Document:
    return {name: value for name, value in body.items() if value is not None}


def follow(
    ground: Ground, jobs: Sequence[DemoJob], runs: Sequence[Document], scene: Scene, bank: Bank
) -> None:
    """Shows all runs until they have ended. Cancels the one that is to be cancelled, and opens the
    bank once a run has looked for it in vain."""
    client = ground.connect()
    lines = [0] * len(runs)
    identities = [run["id"] for run in runs]
    try:
        for place, event in follow_many.events_of(ground.connect, identities, pause):
            if _is_mere_note(event):
                continue
            scene.show(place, event)
            if event.kind == "run" and (event.data["awaiting"] or {}).get("looks"):
                bank.open()
            lines[place] += event.kind == "log"
            if event.kind == "log" and lines[place] == jobs[place].lines_until_cancel:
                client.post(f"{path(identities[place])}:cancel", {"reason": CANCEL_REASON})
    finally:
        client.close()


def _is_mere_note(event: Event) -> bool:
    """What this machine does not keep of a job is told once, at the end, and not in every log."""
    return event.kind == "log" and event.data["stream"] == "system"


def told(client: Client, run: str) -> Document:
    """The run with its attempts, its history, and all lines of the log of its last attempt.

    Waits until what its attempts held is removed, which comes after the end.
    """
    for _ in range(_RELEASE_TRIES):
        document: Document = client.get(path(run))
        history = client.get(f"{path(run)}/history")["events"]
        released = [each for each in history if each["kind"] == "released"]
        if len(released) >= len(document["attempts"]):
            break
        pause(_RELEASE_PAUSE_SECONDS)
    log = client.get(f"{path(run)}/log", {"limit": 1000})["entries"]
    return {**document, "history": history, "log": log}
