"""Completion: scripts that shells take, and values that come from the server."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from tests.support.command_line import CommandLine
from tests.support.fake_server import a_job, a_run, serving

# Types `words` at a prompt that has loaded the script, presses TAB, prints what is offered.
_TAB = """
source /dev/stdin
runyard() {{ {program} "$@"; }}
COMP_WORDS=({words}); COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))
COMP_LINE="${{COMP_WORDS[*]}}"; COMP_POINT=${{#COMP_LINE}}
_runyard runyard "${{COMP_WORDS[COMP_CWORD]}}" ""
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def _offered(command: CommandLine, script: str, *words: str) -> set[str]:
    typed = " ".join(shlex.quote(word) for word in ("runyard", *words))
    bash = _TAB.format(program=shlex.join(command.program([])), words=typed)
    done = subprocess.run(
        ["bash", "--norc", "-c", bash],
        input=script,
        capture_output=True,
        text=True,
        env=command.environment(),
        timeout=60,
        check=True,
    )
    return {word.strip() for word in done.stdout.split("\n") if word.strip()}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_for_each_shell(shell: str, tmp_path: Path) -> None:
    done = CommandLine(tmp_path)("completion", shell)
    assert done.status == 0
    for word in ("validate", "add-version", "stop-runs", "backing_off"):
        assert word in done.out


def test_bash_takes_the_script_and_completes(tmp_path: Path) -> None:
    with serving(tmp_path) as fake:
        fake.jobs = [a_job(), a_job(name="nightly")]
        fake.runs = [a_run(state="running")]
        command = CommandLine(tmp_path)
        script = command("completion", "bash").out
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)
        assert _offered(command, script, "val") == {"validate"}
        assert {"get", "wait"} <= _offered(command, script, "runs", "")
        assert _offered(command, script, "runs", "--sta") == {"--state"}
        assert _offered(command, script, "run", "") >= {"report", "nightly"}
        assert _offered(command, script, "run", "ni") == {"nightly"}
        assert _offered(command, script, "cancel", "") >= {fake.runs[0]["id"], "@last"}
        assert _offered(command, script, "runs", "--job", "re") == {"report"}


def test_without_a_server_completion_is_silent(tmp_path: Path) -> None:
    done = CommandLine(tmp_path).process("__complete", "run", "")
    assert (done.status, done.err) == (0, "")
    assert done.out == "\n\x1fbegin\n"


def test_installing_says_where_and_can_be_repeated(tmp_path: Path) -> None:
    command = CommandLine(tmp_path / "state", {"HOME": str(tmp_path)})
    for _ in range(2):
        done = command.process("completion", "bash", "--install")
        assert done.status == 0, done.err
        written = Path(done.out.removeprefix("written to ").partition(";")[0])
        assert "__complete" in written.read_text()
    assert (tmp_path / ".bashrc").read_text().count("# Load runyard completion") == 1


def test_a_shell_that_cannot_be_seen_has_to_be_named(tmp_path: Path) -> None:
    done = CommandLine(tmp_path).process("completion")
    assert done.status == 64
    assert "expected bash, zsh or fish" in done.err
