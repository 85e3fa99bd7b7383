"""The cloud on this machine lists what its tasks wrote as Cloud Logging would; Google's own library
is a witness."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from google.auth.credentials import AnonymousCredentials
from google.cloud import logging as google_logging
from google.cloud import run_v2
from google.cloud.logging import StructEntry, TextEntry

from runyard.provider.gcp.log_query import filters_of
from runyard.provider.gcp.names import ExecutionName
from runyard.provider.port import LogWanted
from tests.support.google_clients import PLACE, Clients, clients, job_of
from tests.support.google_face import ServedFace, google_face

PROJECT = PLACE.split("/")[1]
Ask = Callable[..., Awaitable[Any]]
Scenario = Callable[[Clients, ServedFace, Ask], Awaitable[None]]
EXECUTION = 'labels."run.googleapis.com/execution_name"'


@pytest.fixture
def play(tmp_path: Path) -> Callable[[Scenario], None]:
    """Runs a scenario with a cloud of its own; `ask` lists entries by plain HTTP."""

    def run(scenario: Scenario) -> None:
        async def main() -> None:
            async with google_face(tmp_path / "cloud") as face:

                async def ask(text: str = "", **how: Any) -> Any:
                    names = how.pop("names", [f"projects/{PROJECT}"])
                    body = {"resourceNames": names, "filter": text, **how}
                    url = f"{face.endpoint}/v2/entries:list"
                    return (await asyncio.to_thread(requests.post, url, json=body)).json()

                with clients(face.endpoint) as google:
                    await scenario(google, face, ask)

        asyncio.run(main())

    return run


async def done(google: Clients, face: ServedFace, script: str, name: str, **how: int) -> str:
    """The short name of an execution of a new job that has ended."""
    job: run_v2.Job = job_of(script, **how)
    await google.ask(google.jobs.create_job, parent=PLACE, job=job, job_id=name)
    operation = await google.ask(google.jobs.run_job, name=f"{PLACE}/jobs/{name}")
    short = str(operation.metadata.name).rpartition("/")[2]
    await face.world.ended(short)
    return short


def texts(answer: Any) -> list[str]:
    return [entry.get("textPayload", "") for entry in answer["entries"]]


def test_a_line_has_its_resource_its_labels_and_its_log(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(google: Clients, face: ServedFace, ask: Ask) -> None:
        script = "[ $CLOUD_RUN_TASK_INDEX = 0 ] || { echo bad >&2; exit 1; }"
        name = await done(google, face, script, "report", tasks=2, retries=1)
        answer = await ask(f'{EXECUTION}="{name}" logName:"stderr"')
        assert texts(answer) == ["bad", "bad"]
        first, second = answer["entries"]
        region = PLACE.rpartition("/")[2]
        assert first["resource"] == {
            "type": "cloud_run_job",
            "labels": {"project_id": PROJECT, "location": region, "job_name": "report"},
        }
        assert first["logName"] == f"projects/{PROJECT}/logs/run.googleapis.com%2Fstderr"
        assert first["severity"] == "DEFAULT"
        attempt = "run.googleapis.com/task_attempt"
        assert [entry["labels"][attempt] for entry in answer["entries"]] == ["0", "1"]
        assert second["labels"]["run.googleapis.com/task_index"] == "1"
        assert first["timestamp"] <= second["timestamp"]
        assert first["insertId"] != second["insertId"]

    play(scenario)


def test_a_line_of_json_is_structured(play: Callable[[Scenario], None]) -> None:
    async def scenario(google: Clients, face: ServedFace, ask: Ask) -> None:
        said = (
            '{"severity":"WARNING","message":"low","disk":"sda","time":"2026-03-01T13:00:00+01:00"}'
        )
        script = (
            f"""echo '{said}'; echo '{{"user":"ada","time":7}}'; echo '{{"time":"2026-03-01"}}'"""
        )
        name = await done(google, face, script, "report")
        answer = await ask(f'{EXECUTION}="{name}" logName:"stdout"')
        first, second, third = answer["entries"]
        assert first["jsonPayload"] == {"disk": "sda", "message": "low"}
        assert (first["severity"], first["timestamp"]) == ("WARNING", "2026-03-01T12:00:00Z")
        assert second["jsonPayload"] == {"user": "ada", "time": 7}
        assert third["jsonPayload"] == {"time": "2026-03-01"}
        found = await ask(f'{EXECUTION}="{name}" jsonPayload.disk=sda severity>=WARNING')
        assert found["entries"] == [first]

    play(scenario)


def test_entries_come_in_order_a_page_at_a_time(play: Callable[[Scenario], None]) -> None:
    async def scenario(google: Clients, face: ServedFace, ask: Ask) -> None:
        await done(google, face, "seq 3", "report")
        await done(google, face, 'seq 4 7; echo \'{"message": "x", "message2": 1}\'', "other")
        text = 'resource.type="cloud_run_job" logName:stdout textPayload:""'
        pages: list[list[str]] = []
        token = ""
        while not pages or token:
            answer = await ask(text, pageSize=2, pageToken=token)
            pages.append(texts(answer))
            token = answer.get("nextPageToken", "")
        assert pages == [["1", "2"], ["3", "4"], ["5", "6"], ["7"]]
        newest = await ask(text, orderBy="timestamp desc", pageSize=3)
        assert texts(newest) == ["7", "6", "5"]
        rest = await ask(text, orderBy="timestamp desc", pageToken=newest["nextPageToken"])
        assert texts(rest) == ["4", "3", "2", "1"]
        assert texts(await ask(f"{text} resource.labels.job_name=other", names=None,
                               projectIds=[PROJECT])) == ["4", "5", "6", "7"]  # fmt: skip

    play(scenario)


def test_logs_of_others_are_not_told(play: Callable[[Scenario], None]) -> None:
    async def scenario(google: Clients, face: ServedFace, ask: Ask) -> None:
        name = await done(google, face, "echo hello", "report")
        assert await ask(f'{EXECUTION}="{name}"', names=["projects/elsewhere"]) == {}
        assert await ask(f'{EXECUTION}=("nobody-abcde")') == {}

    play(scenario)


@pytest.mark.parametrize(
    ("field", "asked"),
    [
        ("filter", {"filter": "hello"}),
        ("orderBy", {"orderBy": "severity"}),
        ("pageSize", {"pageSize": 1001}),
        ("pageSize", {"pageSize": -1}),
        ("pageToken", {"pageToken": "abc"}),
        ("pageToken", {"pageToken": "WyJhIiwiYiIsImMiXQ=="}),
        ("resourceNames", {"resourceNames": []}),
        ("resourceNames", {"resourceNames": ["organizations/1"]}),
        ("resourceNames", {"resourceNames": ["projects/p/locations/l/buckets/b/views/v"]}),
    ],
)
def test_what_it_does_not_do_is_refused(
    play: Callable[[Scenario], None], field: str, asked: dict[str, Any]
) -> None:
    async def scenario(google: Clients, face: ServedFace, ask: Ask) -> None:
        how = dict(asked)
        answer = await ask(
            how.pop("filter", ""), names=how.pop("resourceNames", ["projects/p"]), **how
        )
        assert answer["error"]["status"] == "INVALID_ARGUMENT"
        assert answer["error"]["details"][0]["fieldViolations"][0]["field"] == field

    play(scenario)


def google_reader(face: ServedFace) -> Any:
    """A client of Google's own library for logs."""
    kind: Any = google_logging.Client  # without types
    return kind(
        project=PROJECT,
        credentials=AnonymousCredentials(),
        client_options={"api_endpoint": face.endpoint},
        _use_grpc=False,
    )


def test_googles_own_library_reads_it(play: Callable[[Scenario], None]) -> None:
    async def scenario(google: Clients, face: ServedFace, ask: Ask) -> None:
        line = '{"severity":"ERROR","message":"low","disk":"sda"}'
        name = await done(google, face, f"echo hello; echo '{line}' >&2", "report")
        reader = google_reader(face)

        def read(text: str) -> list[Any]:
            return list(reader.list_entries(filter_=text, page_size=1))

        mine = f'resource.type="cloud_run_job" {EXECUTION}="{name}" -logName:system'
        plain: Any
        structured: Any
        plain, structured = await asyncio.to_thread(read, mine)
        assert [type(plain), type(structured)] == [TextEntry, StructEntry]
        assert (plain.payload, plain.severity) == ("hello", "DEFAULT")
        assert plain.log_name == f"projects/{PROJECT}/logs/run.googleapis.com%2Fstdout"
        assert (plain.resource.type, plain.resource.labels["job_name"]) == (
            "cloud_run_job",
            "report",
        )
        assert plain.labels["run.googleapis.com/execution_name"] == name
        assert (structured.payload, structured.severity) == (
            {"message": "low", "disk": "sda"},
            "ERROR",
        )
        assert plain.timestamp <= structured.timestamp

    play(scenario)


def test_googles_own_library_asks_what_a_search_asks(play: Callable[[Scenario], None]) -> None:
    async def scenario(google: Clients, face: ServedFace, ask: Ask) -> None:
        said = '{"severity":"ERROR","message":"disk \\"sda\\" is low","disk":{"free":7}}'
        name = await done(google, face, f"echo 'disk is (low)'; echo '{said}' >&2", "report")
        reader = google_reader(face)
        execution = ExecutionName(f"{PLACE}/jobs/report", "report", name)

        async def found(**wanted: Any) -> list[Any]:
            (text,) = filters_of([execution], LogWanted(**wanted), face_begin)
            list_entries = reader.list_entries
            entries = await asyncio.to_thread(
                lambda: list(list_entries(filter_=text, order_by="timestamp desc", page_size=1))
            )
            return [one.payload for one in entries if "system" not in one.log_name]

        face_begin = datetime(2026, 1, 1, tzinfo=UTC)
        structured = {"message": 'disk "sda" is low', "disk": {"free": 7}}
        assert await found(text="is (low)") == ["disk is (low)"]
        assert await found(text='"sda"') == [structured]
        assert await found(text='" OR severity="ERROR') == []
        assert await found(pattern=r"(?i)DISK .\S+ is") == [structured, "disk is (low)"]
        assert await found(severities=("ERROR",), task=0) == [structured]
        assert await found(fields=(("disk.free", "7.0"),)) == [structured]
        assert await found(before=face_begin) == []

    play(scenario)
