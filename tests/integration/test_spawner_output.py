"""What tasks print, and what of it stands in the log."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from runyard.localcloud.logging.format import LINE_BYTES_MAX
from runyard.localcloud.spawner.port import SecretFile
from tests.support.spawner import PYTHON, House, house, inside

SECRET = "hunter2-correct-horse"
KEY = "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nab\nhkiG9w0BAQEFAASC/+x=\n-----END KEY-----\n"


def told(folder: Path, code: str, **more: Any) -> tuple[House, str]:
    """Run Python code as a task; the house (its log can still be read) and the end's message."""
    messages: list[str] = []
    houses: list[House] = []

    async def story() -> None:
        async with house(folder) as made:
            end = await made.run(PYTHON, "-u", "-c", f"import os, sys\n{code}", **more)
            assert end.exit_code == 0
            messages.append(end.message)
            houses.append(made)

    inside(story)
    return houses[0], messages[0]


def test_both_streams_are_kept_in_order(tmp_path: Path) -> None:
    made, _ = told(
        tmp_path,
        "for i in range(5000): print(i, file=sys.stderr if i % 3 else sys.stdout)",
        task=7,
        attempt=2,
    )
    assert [int(text) for text in made.texts("o")] == list(range(0, 5000, 3))
    assert [int(text) for text in made.texts("e")] == [i for i in range(5000) if i % 3]
    assert {(entry["k"], entry["n"], entry["v"]) for entry in made.entries()} == {(7, 2, "DEFAULT")}
    times = [entry["t"] for entry in made.entries()]
    assert times == sorted(times)


def test_huge_output_is_whole(tmp_path: Path) -> None:
    made, _ = told(tmp_path, "os.environ; print('\\n'.join(f'line {i}' for i in range(300_000)))")
    assert made.texts() == [f"line {i}" for i in range(300_000)]


def test_binary_output_is_made_readable(tmp_path: Path) -> None:
    made, _ = told(
        tmp_path,
        r"""os.write(1, bytes(range(256)) + b'\n"quoted" \\back\n\xff\x00end\n\xc3\xbc\n')""",
    )
    first, second, *rest = made.texts()
    assert first == "".join(map(chr, range(10)))
    assert second.startswith("".join(map(chr, range(11, 128))) + "\\x80\\x81")
    assert rest == ['"quoted" \\back', "\\xff\x00end", "ü"]


def test_a_last_line_without_newline_and_empty_lines_count(tmp_path: Path) -> None:
    made, _ = told(tmp_path, "os.write(1, b'a\\n\\nb'); os.write(2, b'c')")
    assert made.texts("o") == ["a", "", "b"]
    assert made.texts("e") == ["c"]


def test_a_long_line_is_cut_and_says_so(tmp_path: Path) -> None:
    made, _ = told(
        tmp_path,
        f"os.write(1, b'x' * {LINE_BYTES_MAX} + b'\\n')\n"
        f"sys.stdout.write('ü' * {LINE_BYTES_MAX} + '\\n')\n"
        "print('after')",
    )
    whole, cut, after = made.texts()
    assert whole == "x" * LINE_BYTES_MAX
    half = LINE_BYTES_MAX // 2
    assert cut == "ü" * half + f" [cut: {LINE_BYTES_MAX} more bytes in this line]"
    assert after == "after"


def test_structured_lines_become_fields(tmp_path: Path) -> None:
    lines = [
        {"severity": "ERROR", "message": "boom", "user": "ada", "time": "2026-01-01T00:00:00Z"},
        {"severity": "odd", "message": "hm"},
        {"n": 1},
        {"severity": "info", "message": {"a": 1}},
        [1, 2],
    ]
    made, _ = told(tmp_path, f"for line in {[json.dumps(x) for x in lines]!r}: print(line)")
    found = [(entry["v"], entry["m"], entry.get("f")) for entry in made.entries()]
    assert found == [
        ("ERROR", "boom", {"user": "ada", "time": "2026-01-01T00:00:00Z"}),
        ("DEFAULT", "hm", {"severity": "odd"}),
        ("DEFAULT", '{"n": 1}', {"n": 1}),
        ("INFO", '{"severity": "info", "message": {"a": 1}}', {"message": {"a": 1}}),
        ("DEFAULT", "[1, 2]", None),
    ]


def test_secrets_never_reach_the_disk(tmp_path: Path) -> None:
    coded = base64.b64encode(f"user:{SECRET}".encode()).decode()
    code = f"""
secret, key = {SECRET!r}, {KEY!r}
import json, time
print("plain", secret, "twice", secret)
for letter in "split " + secret + "\\n":
    os.write(1, letter.encode())
print(json.dumps({{"message": "in json " + secret, "key": key}}))
print("basic", {coded!r})
print(key)
os.write(2, b"unfinished " + secret.encode())
"""
    made, _ = told(tmp_path, code, redactions=(("pw", SECRET), ("key", KEY)))
    raw = made.log.read_bytes()
    assert SECRET.encode() not in raw
    for line in KEY.splitlines():
        assert len(line) < 4 or line.encode() not in raw
    assert coded[8:-2].encode() not in raw
    texts = made.texts()
    assert texts[0] == "plain [redacted:pw] twice [redacted:pw]"
    assert texts[1] == "split [redacted:pw]"
    assert texts[2] == "in json [redacted:pw]"
    assert made.entries()[2]["f"] == {"key": "[redacted:key]"}
    assert texts[4] == "[redacted:key]"
    assert made.texts("e") == ["unfinished [redacted:pw]"]


def test_secrets_are_nowhere_on_disk_nor_in_arguments(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as made:
            await made.start(
                "k",
                "/bin/sh",
                "-c",
                "echo up; exec sleep 1000",
                files=(SecretFile("/etc/pw", SECRET.encode()),),
                redactions=(("pw", SECRET),),
            )
            await made.printed("up")
            assert _holding(SECRET.encode(), tmp_path, made.work_folder()) == []
            assert SECRET.encode() not in _arguments(made.client.pid)

    inside(story)


def test_secret_files_are_in_memory_private_and_removed(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as made:
            end = await made.shell(
                'cd "$RUNYARD_MOUNT_ROOT" && pwd && stat -f -c %T . && stat -c "%a %n" . etc/pw a/b'
                ' && cat etc/pw && [ -z "$(ls scratch/deep)" ] && echo 1 > scratch/deep/file',
                files=(SecretFile("/etc/pw", b"x\n"), SecretFile("/a/b", b"y", 0o400)),
                folders=("/scratch/deep",),
            )
            assert end.exit_code == 0
            assert end.removed["memory_folder"] == 1
            folder, kind, *rest = made.texts()
            assert folder.startswith(str(made.memory_folder()))
            assert kind == "tmpfs"
            assert rest == ["700 .", "444 etc/pw", "400 a/b", "x"]
            for path in ("relative", "/a/../../b", "/"):
                bad = await made.shell("true", key=path, files=(SecretFile(path, b""),))
                assert bad.not_started
                assert "absolute path without '..'" in bad.message
            assert made.left_behind() == []

    inside(story)


def test_a_task_is_told_where_the_file_of_its_run_is(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as made:
            end = await made.shell(
                '[ "$RUNYARD_INPUT" = "$RUNYARD_MOUNT_ROOT/input/a.json" ] && cat "$RUNYARD_INPUT"',
                files=(SecretFile("/input/a.json", b"[1]\n"),),
                env={"PATH": "/usr/bin:/bin", "RUNYARD_INPUT": "/input/a.json"},
            )
            assert (end.exit_code, made.texts()) == (0, ["[1]"])
            assert made.left_behind() == []

    inside(story)


def test_a_machine_without_memory_filesystem_refuses_secret_files(tmp_path: Path) -> None:
    async def story() -> None:
        made = House(tmp_path / "spawner", memory_folders=(tmp_path,))
        await made.client.start()
        try:
            assert made.client.abilities.memory_files == ""
            end = await made.shell("true", files=(SecretFile("/a", b""),))
            assert end.not_started
            assert "no memory filesystem" in end.message
            fine = await made.shell('echo > "$RUNYARD_MOUNT_ROOT/a/file"', folders=("/a",), key="b")
            assert fine.exit_code == 0
        finally:
            await made.client.close(stop=True, kill=True)

    inside(story)


def test_the_log_of_an_attempt_is_bounded(tmp_path: Path) -> None:
    made, message = told(
        tmp_path, "for i in range(1000): print(f'{i:09}')", log_bytes_max=1000, task=1
    )
    assert made.texts() == [f"{i:09}" for i in range(100)]
    assert message == "9000 bytes of output were dropped: the limit of 1000 bytes was reached"
    assert made.texts("s") == [message]
    assert made.entries()[-1]["v"] == "WARNING"


def test_a_full_disk_costs_lines_and_nothing_else(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as made:
            end = await made.shell("echo lost; exit 3", log_path="/dev/full")
            assert end.exit_code == 3
            assert end.log_bytes_dropped == 5
            assert "No space left on device" in end.message
            assert (await made.shell("echo kept", key="b")).log_bytes_dropped == 0
            assert made.texts() == ["kept"]

    inside(story)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_disk_that_fills_up_tears_one_line_at_most(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], check=True)

    async def story() -> None:
        async with house(tmp_path) as made:
            log = disk / "log"
            code = "for i in range(20000): print(i)"
            end = await made.run(PYTHON, "-u", "-c", code, log_path=str(log))
            assert end.exit_code == 0
            assert end.log_bytes_dropped > 0
            size = log.stat().st_size
            assert size <= 65536
            os.truncate(log, 40_000)  # there is room again, after half a line
            assert (await made.shell("echo more", key="b", log_path=str(log))).exit_code == 0
            last = json.loads(log.read_bytes().splitlines()[-1])
            assert last["m"] == "more"

    try:
        inside(story)
    finally:
        subprocess.run(["umount", disk], check=True)


def test_tasks_cannot_reach_the_log_or_the_socket(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as made:
            if os.geteuid() != 0:
                pytest.skip("without root, tasks run as the user the log belongs to")
            paths = f"{made.log} {made.folder}/spawner.sock {made.folder}/journal-0"
            end = await made.shell(f"for each in {paths}; do cat $each && exit 1; done; exit 0")
            assert end.exit_code == 0
            parent = await made.shell("cat /proc/$PPID/environ /proc/$PPID/fd/3", key="b")
            assert parent.exit_code == 1

    inside(story)


def _holding(text: bytes, *folders: Path) -> list[Path]:
    files = (file for folder in folders for file in folder.rglob("*") if file.is_file())
    return [file for file in files if text in file.read_bytes()]


def _arguments(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()
