"""What a task writes as its result, and what is kept of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runyard.localcloud.spawner.port import TaskEnd
from tests.support.spawner import House, house, inside

LARGE = 'head -c 65537 /dev/zero | tr "\\\\0" 1 >"$RUNYARD_OUTPUT"'
DROPPED = "the output in RUNYARD_OUTPUT is dropped: "


def ended(folder: Path, script: str, **more: Any) -> tuple[TaskEnd, list[str]]:
    """How a shell script ended, and what the log says of it."""
    ends: list[TaskEnd] = []
    houses: list[House] = []

    async def story() -> None:
        async with house(folder) as made:
            ends.append(await made.shell(script, **more))
            houses.append(made)

    inside(story)
    return ends[0], houses[0].texts("s")


def test_the_first_task_may_write_json(tmp_path: Path) -> None:
    script = 'echo "{ \\"rows\\": [1, 2], \\"ü\\": null }" >"$RUNYARD_OUTPUT"; exit 3'
    end, said = ended(tmp_path, script)
    assert (end.output, end.exit_code, said) == ('{"rows":[1,2],"ü":null}', 3, [])


def test_it_may_as_well_where_its_job_has_a_working_folder(tmp_path: Path) -> None:
    script = 'pwd; test -d "$(dirname "$RUNYARD_OUTPUT")" && echo 7 >"$RUNYARD_OUTPUT"'
    end, _ = ended(tmp_path, script, working_folder="/")
    assert (end.output, end.exit_code) == ("7", 0)


def test_other_tasks_have_no_place_for_it(tmp_path: Path) -> None:
    end, said = ended(tmp_path, 'test -z "$RUNYARD_OUTPUT"', task=1)
    assert (end.output, end.exit_code, said) == ("", 0, [])


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("true", []),
        ('echo "no json" >"$RUNYARD_OUTPUT"', [f"{DROPPED}it is no JSON text"]),
        ('echo NaN >"$RUNYARD_OUTPUT"', [f"{DROPPED}it is no JSON text"]),
        ('touch "$RUNYARD_OUTPUT"', [f"{DROPPED}it is no JSON text"]),
        (LARGE, [f"{DROPPED}more than 65536 bytes, or no file"]),
        ('mkfifo "$RUNYARD_OUTPUT"', [f"{DROPPED}more than 65536 bytes, or no file"]),
        (
            'ln -s /etc/passwd "$RUNYARD_OUTPUT"',
            ["the output in RUNYARD_OUTPUT cannot be read: Too many levels of symbolic links"],
        ),
    ],
)
def test_what_is_no_small_json_text_is_not_kept(
    tmp_path: Path, script: str, said: list[str]
) -> None:
    end, told = ended(tmp_path, script)
    assert (end.output, told, end.exit_code) == ("", said, 0)


@pytest.mark.parametrize(
    ("script", "output", "said"),
    [
        ('echo "[\\"a hunter2\\"]"', '["a [redacted:db]"]', []),
        ('echo "[\\"\\\\u0068unter2\\"]"', '["[redacted:db]"]', []),
        ("echo 77777", "", [f"{DROPPED}it is no JSON text"]),
    ],
)
def test_secrets_are_taken_out_of_it(
    tmp_path: Path, script: str, output: str, said: list[str]
) -> None:
    secrets = (("db", "hunter2"), ("pin", "77777"))
    end, told = ended(tmp_path, f'{script} >"$RUNYARD_OUTPUT"', redactions=secrets)
    assert (end.output, told) == (output, said)
