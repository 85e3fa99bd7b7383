"""What people are told: the report that is dead opens an incident, and the next one that succeeds
resolves it, without anybody's doing."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from runyard.cli.client import Client
from runyard.cli.demo.jobs import DemoJob
from runyard.cli.demo.receiver import KEY_NAME, Receiver
from runyard.cli.surroundings import pause
from runyard.model.run import State

Document = dict[str, Any]
JOB = "slow-report"
#: As many pages as it has time for.
AGAIN = DemoJob(
    JOB, "asked for again, for one page only", State.SUCCEEDED, ("succeeded",), {"PAGES": "1"}
)
_CHANNEL = "receiver"
_HEAR_SECONDS_MAX, _TRIES, _PAUSE_SECONDS = 20.0, 100, 0.1
_KINDS = ("incident.opened", "incident.resolved")


@dataclass(frozen=True, slots=True)
class Telling:
    """The incident as it is at the end, and what the receiver was told, in order."""

    incident: Document
    messages: Sequence[Document]


def watch(client: Client, receiver: Receiver) -> None:
    """Has everything that happens told to `receiver`."""
    where: Document = {
        "channels": {_CHANNEL: {"webhook": {"url": receiver.url, "key": {"secret": KEY_NAME}}}},
        "routes": [{"to": [_CHANNEL]}],
    }
    text = json.dumps({"project": "examples", "environments": {"local": where}})
    value = base64.b64encode(receiver.key.encode()).decode()
    client.post("/secrets", {"name": KEY_NAME, "value_base64": value})
    client.post("/environments:apply", {"files": [{"name": "demo.yaml", "text": text}]})


def heard(receiver: Receiver) -> Iterator[Document]:
    """What is told until the incident is over, or nothing comes any more."""
    while message := receiver.next(_HEAR_SECONDS_MAX):
        yield message
        if message["type"] == _KINDS[-1]:
            return


def told(client: Client) -> Document:
    """The incident of the report, once all that is to be told of it is told; else as it is."""
    found: Document = {}
    for _ in range(_TRIES):
        rows = client.get("/incidents", {"job": JOB})["incidents"]
        found = rows[0] if rows else {}
        if found and found["state"] == "resolved" and not any(found["waiting"].values()):
            break
        pause(_PAUSE_SECONDS)
    return found


def differences(telling: Telling) -> list[str]:
    """What is not as it should be, a sentence each."""
    wrong, found = [], telling.incident
    kinds = [message["type"] for message in telling.messages]
    if kinds != list(_KINDS):
        wrong.append(f"the receiver was told {', '.join(kinds) or 'nothing'} of {JOB}")
    if not found or found["state"] != "resolved":
        wrong.append(f"the incident of {JOB} is {found.get('state', 'not there')}, not resolved")
    elif found["resolved_by"]:
        wrong.append(f"{found['resolved_by']} resolved the incident of {JOB}, not it itself")
    return wrong
