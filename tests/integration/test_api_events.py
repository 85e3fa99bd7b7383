"""Following a run: everything is told once, in order, however often the connection breaks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runyard.api.services import Pace
from runyard.cli import follow, sse
from runyard.cli.client import Client
from runyard.gate.telling import Forget
from runyard.model.errors import ProviderUnavailable
from runyard.model.event import Due, Ended, Launched
from runyard.model.ids import AttemptKey, RunId
from runyard.model.outcome import Ending, TaskFailure
from runyard.provider.port import LogPage, Progress
from tests.support.api_server import START, TOKEN, Api, serving
from tests.support.fake_viewer import FakeViewer
from tests.support.stories import outcome

QUICK = Pace(look=0.005, look_max=0.01, progress=0.01, safety=1.0, heartbeat=0.2, patience=0.2)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A server with jobs, whose followers look often."""
    with serving(tmp_path_factory.mktemp("api"), pace=QUICK) as started:
        started.apply()
        yield started


@contextmanager
def stream(api: Api, run: str, last_id: str = "", query: str = "") -> Iterator[Iterator[sse.Event]]:
    """The events of a run; leaving the block breaks the connection."""
    connection = api.connect()
    headers = {"Authorization": f"Bearer {TOKEN}"} | ({"Last-Event-ID": last_id} if last_id else {})
    connection.request("GET", f"/api/v1/runs/{run}/events{query}", headers=headers)
    reply = connection.getresponse()
    assert reply.status == 200, reply.read()
    assert reply.getheader("content-type", "").startswith("text/event-stream")
    try:
        yield sse.read(reply)
    finally:
        reply.close()
        connection.close()


def end(api: Api, run: str, number: int, *, ok: bool = True) -> None:
    """Attempt `number` ends, and its log with it."""
    api.behind.viewer.ended.add(f"{run}/{number}")
    failure = TaskFailure(0, 1, "no", exit_code=1)
    ended = outcome() if ok else outcome(Ending.FAILED, "1 task failed", failure)
    api.tell(run, Ended(number, ended))


def finished(api: Api) -> str:
    """A run whose first attempt failed and whose second succeeded, each with a log."""
    run, viewer = api.run(), api.behind.viewer
    api.tell(run, Launched(1, "one"))
    viewer.write(f"{run}/1", "a", "b", "c")
    end(api, run, 1, ok=False)
    api.tell(run, Due())
    api.tell(run, Launched(2, "two"))
    viewer.write(f"{run}/2", "d", "e")
    end(api, run, 2)
    return run


def told(events: list[sse.Event]) -> list[tuple[str, Any]]:
    """What matters of events: a run's version and state, a log's attempt and text."""
    return [(one.kind, _gist(one)) for one in events if one.kind != "progress"]


def _gist(event: sse.Event) -> Any:
    data = event.data
    if event.kind == "log":
        return data["run_attempt"], data["text"]
    return data["version"], data["state"]


def test_a_run_is_followed_live_to_its_end(api: Api) -> None:
    run, viewer = api.run(), api.behind.viewer
    with stream(api, run) as events:
        first = next(events)
        assert (first.kind, first.data["state"]) == ("run", "launching")
        assert next(events).data["task_count"] == 0
        api.tell(run, Launched(1, "one"))
        assert _gist(_next(events, "run")) == (3, "running")
        viewer.counts[f"{run}/1"] = Progress(2, 1, 1, 0, 0, 0)
        progress = _next(events, "progress").data
        assert (progress["attempt"], progress["running_count"]) == (1, 1)
        for word in ("one", "two"):
            viewer.write(f"{run}/1", word)
            assert _next(events, "log").data["text"] == word
        end(api, run, 1, ok=False)
        assert _next(events, "run").data["state"] == "backing_off"
        api.tell(run, Due())
        api.tell(run, Launched(2, "two"))
        viewer.counts[f"{run}/2"] = Progress(2, 2, 0, 0, 0, 0)
        viewer.write(f"{run}/2", "again")
        assert _gist(_next(events, "log")) == (2, "again")
        end(api, run, 2)
        rest = list(events)
        assert _gist(rest[-1]) == (7, "succeeded")
        assert [one.kind for one in rest if one.kind != "progress"][-2:] == ["run", "end"]


def _next(events: Iterator[sse.Event], kind: str) -> sse.Event:
    return next(one for one in events if one.kind == kind)


WHOLE = [
    ("run", (7, "succeeded")),
    ("log", (1, "a")),
    ("log", (1, "b")),
    ("log", (1, "c")),
    ("log", (2, "d")),
    ("log", (2, "e")),
    ("end", (7, "succeeded")),
]


def test_a_run_that_has_ended_is_told_whole(api: Api) -> None:
    with stream(api, finished(api)) as events:
        assert told(list(events)) == WHOLE


def test_whoever_comes_back_is_told_the_rest_and_nothing_twice(api: Api) -> None:
    run = finished(api)
    with stream(api, run) as events:
        whole = list(events)
    assert len({event.id for event in whole if event.kind == "log"}) == 5
    for place, event in enumerate(whole[:-1]):
        with stream(api, run, event.id) as events:
            rest = list(events)
        assert told(rest) == told(whole[place + 1 :]), event


def test_after_the_end_there_is_nothing_to_come_back_for(api: Api) -> None:
    run = finished(api)
    with stream(api, run) as events:
        last = list(events)[-1]
    assert api.ask("GET", f"/runs/{run}/events", headers={"Last-Event-ID": last.id}).status == 204


def test_an_id_that_is_none_is_refused(api: Api) -> None:
    answer = api.ask("GET", f"/runs/{api.run()}/events", headers={"Last-Event-ID": "yesterday"})
    assert answer.status == 400
    assert answer.error["details"][0]["path"] == "last-event-id"


def test_the_log_may_be_left_out(api: Api) -> None:
    with stream(api, finished(api), query="?log=false") as events:
        assert told(list(events)) == [WHOLE[0], WHOLE[-1]]


def test_the_commands_follow_it(api: Api) -> None:
    run = finished(api)
    events = list(follow.events(lambda: Client(api.url, TOKEN), run, _no_pause))
    assert told(events) == WHOLE


def _no_pause(_: float) -> None:
    raise AssertionError("the connection broke")


def test_an_attempt_of_many_lines_is_told_in_order(api: Api) -> None:
    run = api.run()
    lines = [f"line {number}" for number in range(2_500)]
    api.behind.viewer.write(f"{run}/1", *lines)
    end(api, run, 1)
    with stream(api, run) as events:
        assert [event.data["text"] for event in events if event.kind == "log"] == lines


def test_a_log_that_never_says_it_ended_does_not_hold_the_end_for_ever(api: Api) -> None:
    run = api.run()
    api.behind.viewer.write(f"{run}/1", "cut off")
    api.tell(run, Ended(1, outcome(Ending.FAILED, "gone")))
    api.tell(run, Due())
    api.tell(run, Ended(2, outcome()))
    with stream(api, run) as events:
        assert [event.kind for event in events if event.kind != "progress"] == ["run", "log", "end"]


def test_silence_is_broken_by_heartbeats(api: Api) -> None:
    connection = api.connect()
    headers = {"Authorization": f"Bearer {TOKEN}"}
    connection.request("GET", f"/api/v1/runs/{api.run()}/events", headers=headers)
    reply = connection.getresponse()
    assert reply.readline() == b"retry: 1000\n"
    for _ in range(2):
        while reply.readline() != b": still here\n":
            pass
    connection.close()
    reply.close()


def test_a_client_that_goes_away_leaves_nothing_behind(api: Api) -> None:
    run, services = api.run(), api.behind.services
    for _ in range(3):
        with stream(api, run) as events:
            next(events)
            assert len(services.streams) >= 1
    api.call(lambda: _until(lambda: len(services.streams) == 0))
    looks = api.behind.viewer.looks
    api.call(lambda: asyncio.sleep(0.05))
    assert api.behind.viewer.looks == looks


async def _until(is_so: Callable[[], bool]) -> None:
    """Returns once it is so; asks whenever the event loop has nothing better to do."""
    asked = asyncio.Event()
    async with asyncio.timeout(5):
        while not is_so():
            asyncio.get_running_loop().call_later(0.005, asked.set)
            await asked.wait()
            asked.clear()


def test_many_follow_one_run(api: Api) -> None:
    run = api.run()
    api.behind.viewer.write(f"{run}/1", "a")
    found: list[list[tuple[str, Any]]] = []

    def follow_it() -> None:
        with stream(api, run) as events:
            found.append(told(list(events)))

    threads = [threading.Thread(target=follow_it) for _ in range(30)]
    for thread in threads:
        thread.start()
    api.call(lambda: _until(lambda: len(api.behind.services.streams) == 30))
    api.behind.viewer.write(f"{run}/1", "b")
    end(api, run, 1)
    for thread in threads:
        thread.join(30)
    texts = {tuple(gist for kind, gist in one if kind == "log") for one in found}
    assert texts == {((1, "a"), (1, "b"))}
    assert [one[-1] for one in found] == [("end", (3, "succeeded"))] * 30


def test_a_run_that_is_forgotten_ends_the_stream(api: Api) -> None:
    run, services = api.run(), api.behind.services

    async def forget() -> None:
        await services.gate.ask(Forget((RunId(run),), START, START))
        services.signals.send([f"run/{run}"])

    with stream(api, run) as events:
        next(events)
        api.call(forget)
        assert "end" not in [event.kind for event in events]
    assert api.ask("GET", f"/runs/{run}").status == 404


def test_a_provider_that_fails_ends_the_stream_and_it_goes_on_later(api: Api) -> None:
    run = finished(api)
    viewer = _Breaking(2)
    services = api.behind.services
    api.app.state.services = replace(services, viewer=viewer)
    viewer.entries, viewer.ended = api.behind.viewer.entries, api.behind.viewer.ended
    try:
        with stream(api, run) as events:
            part = list(events)
    finally:
        api.app.state.services = services
    assert "end" not in [event.kind for event in part]
    with stream(api, run, part[-1].id) as events:
        assert told(part + list(events)) == WHOLE


class _Breaking(FakeViewer):
    """Breaks after so many looks."""

    def __init__(self, looks: int) -> None:
        super().__init__(START)
        self._looks_left = looks

    async def log(
        self, key: AttemptKey, after: int = 0, limit: int = 1000, task: int | None = None
    ) -> LogPage:
        self._looks_left -= 1
        if self._looks_left < 0:
            raise ProviderUnavailable("the provider is away", name="fake")
        return await super().log(key, after, 2, task)


def test_a_server_that_stops_ends_its_streams_at_once(tmp_path: Path) -> None:
    with serving(tmp_path) as started:
        started.apply()
        run = started.run()
        with stream(started, run) as events:
            assert next(events).kind == "run"
            started.server.stop()
            rest = [event.kind for event in events]
            assert "end" not in rest
