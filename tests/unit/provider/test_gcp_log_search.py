"""Logs at Google are searched: the newest lines, what is wanted of them here, and few reads."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runyard.localcloud.logging.format import STDOUT, encode_block
from runyard.localcloud.logging.search import Search, search
from runyard.model.errors import PlatformError, ProviderRefused, ProviderUnavailable
from runyard.model.ids import AttemptKey, attempt_key, split_attempt_key, stamped
from runyard.provider.gcp.finding import Finding
from runyard.provider.gcp.log_expression import found_in
from runyard.provider.gcp.log_lines import EXECUTION
from runyard.provider.gcp.log_reads import LogReads
from runyard.provider.gcp.log_search import KEYS_MAX, LogSearch, SearchPace
from runyard.provider.gcp.log_wire import SIZE_MAX
from runyard.provider.gcp.quota import Allowance
from runyard.provider.local.translate import wanted as local_words
from runyard.provider.port import LogFindings, LogWanted
from runyard.provider.port_places import Whereabouts
from tests.support.google_logs import NAME, Logs, an_entry
from tests.support.google_stand_in import START, StandIn

OTHER = NAME.replace("report-00001", "report-00002")
ELSEWHERE = OTHER.replace("shop-prod", "shop-dev")
ABROAD = NAME.replace("us-central1", "europe-west1")
MANY = Allowance(1e9, 1000)


def key_of(chance: int, seconds: float = 0.0) -> AttemptKey:
    run = stamped("run", START + timedelta(seconds=seconds), chance)
    return attempt_key(split_attempt_key(AttemptKey(f"{run}/1"))[0], 1)


OLD, NEW = key_of(1), key_of(2, 60)


@dataclass
class Scene:
    """Two attempts of a job at Google, and their logs."""

    logs: Logs = field(default_factory=Logs)
    handles: dict[AttemptKey, str] = field(default_factory=lambda: {OLD: NAME, NEW: OTHER})
    allowance: Allowance = MANY
    pace: SearchPace = field(default_factory=SearchPace)

    def __post_init__(self) -> None:
        async def trace(keys: Any) -> Mapping[AttemptKey, Whereabouts]:
            there = {key: self.handles[key] for key in keys if key in self.handles}
            return {
                key: Whereabouts("shop", "prod", "us-central1", "report", handle)
                for key, handle in there.items()
            }

        async def project(project: str, environment: str) -> str:
            return "shop-prod"

        self.reads = LogReads(self.logs, self.allowance)
        self._search = LogSearch(self.reads, Finding(StandIn(), trace, project), self.pace)

    async def search(self, limit: int = 10, **wanted: Any) -> LogFindings:
        return await self._search.search(sorted(self.handles)[::-1], LogWanted(**wanted), limit)

    async def texts(self, limit: int = 10, **wanted: Any) -> list[str]:
        found = await self.search(limit, **wanted)
        assert (found.complete, found.unsearched) == (True, ())
        return [line.text for _, line in found.found]


def play(scenario: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await scenario()

    asyncio.run(main())


def test_the_newest_lines_are_told_oldest_first_with_whose_they_are() -> None:
    async def scenario() -> None:
        scene = Scene()
        scene.logs.come(
            an_entry("one", 1),
            an_entry("two\nlines", 2, execution=OTHER, task=3, attempt=1, severity="ERROR"),
            an_entry("", 3, jsonPayload={"message": "three", "n": 7}),
            an_entry("strange", 4, execution=NAME.replace("00001", "00009")),
            an_entry("abroad", 5, execution=ABROAD),  # has the same short name
        )
        found = await scene.search()
        assert [(key, line.text) for key, line in found.found] == [
            (OLD, "one"), (NEW, "two"), (NEW, "lines"), (OLD, "three"),
        ]  # fmt: skip
        _, two = found.found[1]
        assert (two.task, two.attempt, two.severity, two.stream) == (3, 1, "ERROR", "stdout")
        assert found.found[3][1].fields == {"n": 7}
        assert (found.complete, found.bytes_searched) == (True, 16)
        (asked,) = scene.logs.asked
        assert (asked.google_project, asked.size, asked.newest_first) == ("shop-prod", 10, True)
        assert 'timestamp>="2026-02-28T12:00:00Z"' in asked.filter
        assert await scene.texts(limit=2) == ["lines", "three"]
        abroad = Scene(scene.logs, handles={OLD: ABROAD})
        assert await abroad.texts() == ["abroad"]

    play(scenario)


def test_what_was_written_in_the_same_instant_is_in_googles_order() -> None:
    async def scenario() -> None:
        scene = Scene()

        def entry(nanoseconds: int, insert_id: str) -> Mapping[str, Any]:
            moment = f"2026-03-01T12:00:00.{nanoseconds:09}Z"
            text = f"{nanoseconds}{insert_id}"
            return an_entry(text, timestamp=moment, insert_id=insert_id)

        scene.logs.come(entry(2, "z"), entry(10, "a"), entry(1, "z"), entry(2, "a"))
        scene.logs.come(entry(2, "z"))  # told twice
        assert await scene.texts() == ["1z", "2a", "2z", "10a"]

    play(scenario)


def test_of_what_comes_only_what_is_wanted_is_told() -> None:
    async def scenario() -> None:
        scene = Scene()
        scene.logs.come(
            an_entry("disk is low", 1),
            an_entry("disk.is low", 2, severity="WARNING"),
            an_entry("", 3, jsonPayload={"message": "Disk is low", "disk": "sda", "n": 1}),
            an_entry("", 4, jsonPayload={"msg": "disk is low", "disk": "SDA"}),
            an_entry("disk is\nlow", 5, task=1),
        )
        whole = '{"msg":"disk is low","disk":"SDA"}'
        assert await scene.texts(text="disk.is") == ["disk.is low"]
        assert await scene.texts(text="disk is low") == ["disk is low", whole]
        assert await scene.texts(text='{"msg":') == [whole]
        assert await scene.texts(pattern=r"^(?i:disk).is low$") == [
            "disk is low", "disk.is low", "Disk is low",
        ]  # fmt: skip
        assert await scene.texts(pattern="is low$", severities=("WARNING",)) == ["disk.is low"]
        assert await scene.texts(fields=(("disk", "sda"),)) == ["Disk is low"]
        assert await scene.texts(fields=(("n", "1.0"),)) == []
        assert await scene.texts(has="msg") == [whole]
        assert await scene.texts(text="low", task=1) == ["low"]
        moment = START + timedelta(seconds=2)
        assert await scene.texts(before=moment) == ["disk is low"]
        assert len(await scene.texts(since=moment)) == 5

    play(scenario)


def test_pages_are_read_until_there_are_enough_lines() -> None:
    async def scenario() -> None:
        scene = Scene()
        scene.logs.come(*(an_entry(f"x {n}", n, insert_id=f"{n:05}") for n in range(3 * SIZE_MAX)))
        scene.logs.come(an_entry("x.y", -1))
        assert await scene.texts(limit=1, text="x.y") == ["x.y"]
        assert len(scene.logs.asked) == 1  # Google told them apart but for the dot
        scene.logs.asked.clear()
        found = await scene.search(pattern=r"x \d*1$", limit=2)
        assert [line.text for _, line in found.found] == ["x 2981", "x 2991"]
        assert len(scene.logs.asked) == 1
        assert (await scene.texts(limit=1500))[0] == "x 1500"
        assert [one.size for one in scene.logs.asked] == [SIZE_MAX, SIZE_MAX, SIZE_MAX]

    play(scenario)


def test_a_search_reads_a_few_pages_and_says_so() -> None:
    async def scenario() -> None:
        scene = Scene(pace=SearchPace(reads=2))
        scene.logs.come(*(an_entry(f"{n}", n, insert_id=f"{n:05}") for n in range(3 * SIZE_MAX)))
        found = await scene.search(pattern="9.9$")
        assert [line.text for _, line in found.found] == [f"29{n}9" for n in range(10)]
        assert found.complete
        found = await scene.search(pattern="^1.$")
        assert (found.found, found.complete) == ((), False)
        assert found.unsearched == (
            "logs in Google's project shop-prod: 2 reads were not enough: "
            "narrow it down, by job, run or time",
        )

    play(scenario)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            ProviderRefused("no role", reason="PERMISSION_DENIED", hint="give it"),
            "no role; give it",
        ),
        (ProviderUnavailable("out of order"), "out of order"),
    ],
)
def test_what_cannot_be_read_is_said_and_the_rest_is_searched(
    error: PlatformError, words: str
) -> None:
    async def scenario() -> None:
        scene = Scene(handles={NEW: ELSEWHERE, OLD: NAME})
        scene.logs.fails.append(error)
        scene.logs.come(an_entry("here", 1))
        found = await scene.search()
        assert found.complete is False
        (said,) = found.unsearched
        assert said == f"logs in Google's project shop-dev: {words}"
        assert [one.google_project for one in scene.logs.asked] == ["shop-dev", "shop-prod"]
        assert [line.text for _, line in found.found] == ["here"]

    play(scenario)


def test_a_search_leaves_turns_to_those_who_look_at_a_log() -> None:
    async def scenario() -> None:
        spare = SearchPace().spare
        scene = Scene(allowance=Allowance(1e-9, spare + 1), pace=SearchPace(seconds=0.5))
        assert (await scene.search()).complete
        found = await scene.search()
        assert "as often as Google allows already" in found.unsearched[0]
        for _ in range(spare):
            await scene.reads.read(scene.logs.asked[0])

    play(scenario)


def test_an_expression_that_does_not_end_is_given_up() -> None:
    async def scenario() -> None:
        scene = Scene(pace=SearchPace(seconds=0.5))
        scene.logs.come(an_entry("a" * 60 + "b", 1))
        found = await scene.search(pattern=r"^(a|aa)+$")
        assert (found.found, found.complete) == ((), False)
        assert found.unsearched[0].startswith(
            "logs in Google's project shop-prod: there were 0.5 s for it"
        )

    play(scenario)


def test_a_process_that_dies_is_said() -> None:
    async def scenario() -> None:
        assert await found_in("^b", ["abc", "bcd", "\ud800b\n"]) == [False, True, False]
        with pytest.raises(ProviderUnavailable, match="ended before it was done"):
            await found_in("(", ["a"])

    play(scenario)


def test_the_newest_attempts_are_searched_and_those_without_an_execution_left_out() -> None:
    async def scenario() -> None:
        scene = Scene(handles={OLD: NAME} | {key_of(n, 60): "" for n in range(KEYS_MAX)})
        scene.logs.come(an_entry("one", 1))
        found = await scene.search()
        assert (found.found, found.complete, scene.logs.asked) == ((), False, [])
        assert found.unsearched == (
            "1 attempts at Google beside the newest 2000: narrow it down, by job, run or time",
        )
        scene.handles[key_of(7, 60)] = OTHER
        scene.logs.come(an_entry("newer", 2, execution=OTHER))
        assert await scene.texts(limit=1) == ["newer"]  # what is older does not matter
        del scene.handles[key_of(7, 60)]
        assert await scene.texts() == ["one"]

    play(scenario)


def test_executions_that_are_too_many_for_a_filter_are_told_apart_here() -> None:
    async def scenario() -> None:
        handles = {key_of(n, n): NAME.replace("00001", f"{n:05}") for n in range(1, 1_500)}
        scene = Scene(handles=handles)
        scene.logs.come(an_entry("mine", 1), an_entry("x", 2, execution=f"{NAME}9"))
        assert await scene.texts() == ["mine"]
        (asked,) = scene.logs.asked
        assert EXECUTION not in asked.filter

    play(scenario)


WORDS = st.sampled_from(
    ("ab", "Ab", "a.b", "kis", "K", "\u212a", "e\u0301", "\u00e9", '"', "\\", " ", "1")
)
TEXTS = st.lists(WORDS, min_size=1, max_size=5).map("".join)
VALUES: st.SearchStrategy[Any] = st.one_of(st.sampled_from((1, 1.5, True, None, "1")), TEXTS)
LINES = st.lists(
    st.one_of(
        TEXTS.map(lambda text: f"x{text}"),
        st.dictionaries(st.sampled_from(("message", "n", "u.x")), VALUES, min_size=1),
        TEXTS.map(lambda text: {"message": f"{text}\n{text}", "u": {"x": text}}),
    ),
    max_size=8,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    lines=LINES,
    text=st.one_of(st.just(""), TEXTS),
    pattern=st.sampled_from(("", "", "", "a.b", "(?i)kis|ab", r"^\w+$", "K")),
    fields=st.sampled_from(((), (), (("n", "1"),), (("u.x", "ab"),), (("n", "true"),))),
    limit=st.integers(1, 8),
)
def test_a_search_means_what_it_means_on_this_machine(
    tmp_path: Path, lines: list[Any], text: str, pattern: str, fields: Any, limit: int
) -> None:
    written, entries = [], []
    for number, line in enumerate(lines):
        is_plain = isinstance(line, str)
        written.append(line.encode() if is_plain else orjson.dumps(line))
        payload = {} if is_plain else {"jsonPayload": line}
        said = line if is_plain else ""
        entries.append(an_entry(said, number, insert_id=f"{number}", **payload))
    path = tmp_path / "log"
    path.write_bytes(b"".join(
        encode_block(1_000_000 * n, 0, 0, STDOUT, line + b"\n") for n, line in enumerate(written)
    ))  # fmt: skip
    wanted = LogWanted(text=text, pattern=pattern, fields=fields)
    here = search([path], Search(local_words(wanted), limit, processes=1))
    there = asyncio.run(_found_there(entries, wanted, limit))
    assert [line.text for _, line in there.found] == [one.entry.text for one in here.found]
    assert [line.fields for _, line in there.found] == [one.entry.fields for one in here.found]


async def _found_there(
    entries: list[Mapping[str, Any]], wanted: LogWanted, limit: int
) -> LogFindings:
    scene = Scene()
    scene.logs.come(*entries)
    how = {name: getattr(wanted, name) for name in ("text", "pattern", "fields")}
    return await scene.search(limit, **how)
