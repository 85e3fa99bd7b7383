"""The demo sees when something is not as it should be, and says it."""

from __future__ import annotations

import socket
import unicodedata
from collections.abc import Sequence
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from runyard.channel.declared import webhook
from runyard.cli.demo import closing, findings, incident, verdict
from runyard.cli.demo.bank import away
from runyard.cli.demo.ground import Ground
from runyard.cli.demo.incident import Telling
from runyard.cli.demo.interpreter import SEARCH_PATH, search_path
from runyard.cli.demo.jobs import MANIFESTS, DemoJob, jobs, manifests
from runyard.cli.demo.receiver import listening
from runyard.cli.surroundings import now
from runyard.model.cost import Credit
from runyard.model.errors import Refused
from runyard.model.manifest import Source, load
from runyard.model.run import State

Document = dict[str, Any]
JOB = DemoJob("report", "", State.SUCCEEDED, ("failed", "succeeded"))


def a_run(**changes: Any) -> Document:
    attempts = [
        {"number": number, "outcome": {"ending": ending}, "charge": {"nano_dollars": 10}}
        for number, ending in enumerate(("failed", "succeeded"), 1)
    ]
    released = [{"kind": "released", "data": {"attempt": n, "left": []}} for n in (1, 2)]
    run = {
        "id": "run_" + "0" * 26,
        "job": "report",
        "state": "succeeded",
        "reason": "it is done",
        "attempts": attempts,
        "cost_nano_dollars": 20,
        "history": [{"kind": "started", "data": {}}, *released],
    }
    return run | changes


def test_a_run_that_went_as_it_should() -> None:
    assert verdict.differences([JOB], [a_run()]) == []


OVER: Document = {"state": "resolved", "resolved_by": ""}
TOLD: list[Document] = [{"type": "incident.opened"}, {"type": "incident.resolved"}]


def test_an_incident_that_was_told_and_is_over() -> None:
    assert incident.differences(Telling(OVER, TOLD)) == []


@pytest.mark.parametrize(
    ("found", "messages", "words"),
    [
        (OVER, [], "was told nothing"),
        (OVER, TOLD[::-1], "was told incident.resolved, incident.opened"),
        (OVER, [*TOLD, *TOLD], "incident.resolved, incident.opened"),
        ({}, TOLD, "is not there, not resolved"),
        ({"state": "open"}, TOLD, "is open, not resolved"),
        (OVER | {"resolved_by": "admin"}, TOLD, "admin resolved"),
    ],
)
def test_an_incident_that_is_not_as_it_should_be(
    found: Document, messages: list[Document], words: str
) -> None:
    assert words in " ".join(incident.differences(Telling(found, messages)))


def test_the_receiver_believes_who_knows_its_key_and_nobody_else() -> None:
    with listening() as receiver:
        for key, status in ((receiver.key, 204), (f"whsec_{'A' * 43}=", 401)):
            content = b'{"type": "incident.opened"}'
            headers = webhook.signed("msg_1", now(), content, webhook.key_of(key))
            place = HTTPConnection(urlsplit(receiver.url).netloc, timeout=10)
            place.request("POST", "/", content, headers)
            assert place.getresponse().status == status
            place.close()
        assert receiver.next(10) == {"type": "incident.opened"}
        assert receiver.next(0.001) is None


def test_the_bank_refuses_until_it_is_open() -> None:
    with away() as bank:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", bank.port), 5)
        bank.open()
        bank.open()
        place = HTTPConnection("127.0.0.1", bank.port, timeout=10)
        place.request("GET", "/")
        assert place.getresponse().status == 200
        place.close()
    with away() as shut:
        assert shut.thread is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": "dead"}, "it is dead and should be succeeded: it is done"),
        ({"attempts": a_run()["attempts"][:1]}, "its attempts ended failed and should have"),
        ({"cost_nano_dollars": 21}, "do not add up"),
        ({"history": a_run()["history"][:2]}, "what 1 attempts held was not removed"),
        (
            {"history": [{"kind": "released", "data": {"left": ["/tmp/x"]}}] * 2},
            "left behind: /tmp/x",
        ),
    ],
)
def test_every_difference_is_told(changes: Document, words: str) -> None:
    told = verdict.differences([JOB], [a_run(**changes)])
    assert any(words in each for each in told), told


def months(flights: Sequence[int]) -> list[Document]:
    return [
        {
            "task": number,
            "fields": {
                "month": number + 1,
                "name": f"month {number + 1}",
                "flights": count,
                "cancelled": 10,
                "late": 20,
                "late_share": 0.25,
                "worst_route": "EWR-SAV",
                "worst_delay_minutes": 54.8,
            },
        }
        for number, count in enumerate(flights)
    ]


def test_the_flights_are_all_counted() -> None:
    right = [28_000] * 11 + [findings.FLIGHTS_COUNT - 11 * 28_000]
    found = findings.flights([{"task": 0, "fields": {"cancelled": 3}}, *months(right)])
    assert found.differences == []
    assert len(found.rows) == 12
    assert "336,776 flights" in found.sentence
    assert findings.flights(months([*right[:-1], right[-1] - 1])).differences
    assert findings.flights(months(right[:-1])).differences
    assert findings.flights([]).differences


def test_the_characters_are_all_looked_at() -> None:
    def log(looked_at: int, characters: int, version: str) -> list[Document]:
        fields = {
            "looked_at": looked_at,
            "characters": characters,
            "letters": 7,
            "unicode": version,
        }
        return [{"task": 0, "fields": fields}]

    assert findings.characters(log(0x110000, 9, "another")).differences == []
    assert findings.characters(log(0x110000 - 1, 9, "another")).differences
    here = unicodedata.unidata_version
    told = findings.characters(log(0x110000, 9, here)).differences
    assert len(told) == 1
    assert "9 characters were counted" in told[0]


def test_ids_are_as_short_as_they_may_be() -> None:
    same = "run_01m81ch4v"
    assert closing.short([same + "4" + "0" * 16, same + "f" + "0" * 16]) == [same + "4", same + "f"]
    longer = closing.short([same + "4" + "0" * 16, same + "40" + "1" * 15])
    assert len(set(longer)) == 2


def test_the_free_tier_stands_apart() -> None:
    list_price, free, _ = closing.cost(30_000_000, Credit(10_000_000, 5_000_000))
    assert list_price.startswith("$0.0300 by")
    assert free.startswith("$0.0150 of it")
    assert free.endswith("$0.0150 to pay.")


def test_a_python_for_tasks_is_one_that_runs() -> None:
    folder, _, rest = search_path("nobody").partition(":")
    assert (Path(folder) / "python3").exists()
    assert rest == SEARCH_PATH


def test_no_python_for_tasks_says_what_to_do() -> None:
    with pytest.raises(Refused) as caught:
        search_path("nobody", candidates=[Path("/nowhere")])
    assert "/nowhere/python3" in caught.value.message
    assert "install one" in caught.value.hint


def test_the_manifests_have_every_job(tmp_path: Path) -> None:
    named = {job.name for job in jobs(Ground(tmp_path, ""), "/usr/bin")}
    loaded = load([Source(each["name"], each["text"]) for each in manifests(18641)])
    assert {job.name for job in loaded.jobs} == named


def test_a_wheel_has_the_manifests_it_needs() -> None:
    kept = {path.stem for path in MANIFESTS.glob("*.yaml")}
    assert kept == {"retry", "timeout", "memory", "network", "cancel", "characters"}
    assert all(path.read_text().startswith("#") for path in MANIFESTS.glob("*.yaml"))
