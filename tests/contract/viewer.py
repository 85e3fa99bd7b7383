"""The promises of `provider.port.Viewer`: what people see of attempts, wherever these are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from runyard.model.ids import AttemptKey
from runyard.provider.port import LogWanted
from tests.contract.rig import Rig, printed


class ViewerContract:
    """The part of `ProviderContract` that is about the eyes."""

    def test_tasks_and_progress_can_be_looked_at(self, play: Callable[..., None]) -> None:
        async def scenario(rig: Rig) -> None:
            key = AttemptKey("run_a/1")
            await rig.provider.launch(rig.order(key, "exit $CLOUD_RUN_TASK_INDEX", tasks=3))
            await rig.ended(key)
            tasks = await rig.viewer.tasks(key)
            assert [(task.index, task.state) for task in tasks] == [
                (0, "succeeded"), (1, "failed"), (2, "failed"),
            ]  # fmt: skip
            assert tasks[2].exit_code == 2
            assert [task.index for task in await rig.viewer.tasks(key, first=1, limit=1)] == [1]
            progress = await rig.viewer.progress(key)
            assert (progress.task_count, progress.failed_count) == (3, 2)
            assert (await rig.viewer.progress(AttemptKey("run_x/1"))).task_count == 0

        play(scenario)

    def test_the_log_is_read_by_position_and_by_task(self, play: Callable[..., None]) -> None:
        async def scenario(rig: Rig) -> None:
            key = AttemptKey("run_a/1")
            script = "for i in 1 2 3 4 5 6 7 8 9; do echo $CLOUD_RUN_TASK_INDEX.$i; done"
            await rig.provider.launch(rig.order(key, script, tasks=3))
            await rig.ended(key)
            assert len(printed(await rig.entries(key))) == 27
            one = await rig.entries(key, task=1)
            assert printed(one) == [f"1.{number}" for number in range(1, 10)]
            assert {entry.task for entry in one} == {1}
            last = await rig.viewer.log(key, after=one[-1].position, limit=1000, task=1)
            assert (last.entries, last.ended) == ((), True)

        play(scenario)

    def test_structured_lines_keep_their_fields(self, play: Callable[..., None]) -> None:
        async def scenario(rig: Rig) -> None:
            line = '{"severity":"WARNING","message":"low","disk":"sda"}'
            await rig.provider.launch(rig.order("run_a/1", f"echo '{line}'"))
            await rig.ended("run_a/1")
            entries = await rig.entries("run_a/1")
            entry = next(each for each in entries if each.stream == "stdout")
            assert (entry.severity, entry.text) == ("WARNING", "low")
            assert dict(entry.fields or {}) == {"disk": "sda"}

        play(scenario)

    def test_logs_are_searched(self, play: Callable[..., None]) -> None:
        async def scenario(rig: Rig) -> None:
            first, second = AttemptKey("run_a/1"), AttemptKey("run_b/1")
            said = '{"severity":"WARNING","message":"disk is low","disk":"sda","free":{"mb":7}}'
            await rig.provider.launch(rig.order(first, f"echo hello there; echo '{said}'"))
            await rig.ended(first)
            script = "echo Hello $CLOUD_RUN_TASK_INDEX; echo 'a \"quoted\" (word) \\ x.y' >&2"
            await rig.provider.launch(rig.order(second, script, tasks=2))
            await rig.ended(second)

            async def search(limit: int = 100, **wanted: Any) -> list[tuple[str, str]]:
                asked = [second, first, AttemptKey("run_x/1")]
                found = await rig.viewer.search(asked, LogWanted(**wanted), limit)
                assert (found.complete, found.unsearched) == (True, ())
                return [
                    (key, one.text)
                    for key, one in found.found
                    if one.stream in ("stdout", "stderr")
                ]

            low, quoted = (first, "disk is low"), (second, 'a "quoted" (word) \\ x.y')
            assert await search(text="hello") == [(first, "hello there")]
            assert await search(text='"quoted" (word) \\ x.') == [quoted, quoted]
            assert await search(text="xzy") == []
            assert await search(pattern=r"^[hH]ello \d$", task=1) == [(second, "Hello 1")]
            assert len(await search(pattern=r"(?i)HELLO")) == 3
            assert await search(severities=("WARNING", "ERROR")) == [low]
            assert await search(fields=(("disk", "sda"), ("free.mb", "7"))) == [low]
            assert await search(fields=(("disk", "SDA"),)) == []
            assert await search(has="free") == [low]
            every = await search()
            assert [key for key, _ in every] == [first] * 2 + [second] * 4
            assert await search(limit=2, text="o") == (await search(text="o"))[-2:]
            alone = await rig.viewer.search([first], LogWanted(), 1000)
            log = await rig.viewer.log(first)
            assert [one.text for _, one in alone.found] == [one.text for one in log.entries]

        play(scenario)
