"""Every `gcloud` command of scripts, workflow and documents exists, with every flag it is given."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from tests.support.tree import ROOT, relative

PLACES = [
    *sorted((ROOT / "deploy" / "runner").glob("*.sh")),
    *sorted((ROOT / ".github").glob("*.md")),
    ROOT / ".github" / "workflows" / "deploy.yml",
    ROOT / "docs" / "guides" / "deploy-the-runner.md",
]
#: Flags of every command.
TREE = "data/cli/gcloud_completions.py"


def _commands(text: str) -> Iterator[str]:
    joined = re.sub(r"\s*\\\n\s*", " ", text)
    for line in joined.splitlines():
        if not line.lstrip().startswith("#"):
            for found in re.finditer(r"(?:^|[\s(`])gcloud ([a-z][^|;`]*)", line):
                yield found[1]


@cache
def _tree() -> dict[str, Any]:
    program = shutil.which("gcloud")
    folders = [Path(program).resolve().parents[1]] if program else []
    folders += [Path("/usr/lib/google-cloud-sdk"), Path("/usr/share/google-cloud-sdk")]
    path = next((each / TREE for each in folders if (each / TREE).exists()), None)
    if path is None:
        pytest.skip("gcloud is not installed: its flags are not looked up")
    spec = spec_from_file_location("gcloud_completions", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    tree: dict[str, Any] = module.STATIC_COMPLETION_CLI_TREE
    return tree


def _faults(command: str, tree: dict[str, Any]) -> Iterator[str]:
    node, words = tree, command.split()
    while words and words[0] in node["commands"]:
        node = node["commands"][words.pop(0)]
    if node["commands"]:
        yield f"gcloud {command}: no such command"
        return
    known = set(node["flags"]) | set(tree["flags"])
    for flag in re.findall(r"(?<![\w-])(--[a-z-]+)", " ".join(words)):
        plain = flag.replace("--no-", "--", 1)
        if flag not in known and plain not in known:
            yield f"gcloud {command}: {flag}"


@pytest.mark.parametrize("path", [each for each in PLACES if each.exists()], ids=relative)
def test_every_command_is_one_of_gclouds(path: Path) -> None:
    tree = _tree()
    assert [fault for each in _commands(path.read_text()) for fault in _faults(each, tree)] == []


def test_there_are_commands_to_look_at() -> None:
    found = [command for path in PLACES if path.exists() for command in _commands(path.read_text())]
    assert len(found) >= 35
    assert sum(each.startswith("run deploy ") for each in found) >= 1


def test_a_wrong_flag_is_found() -> None:
    tree = _tree()
    assert list(_faults("run deploy x --no-such-flag=1 --image=y", tree)) == [
        "gcloud run deploy x --no-such-flag=1 --image=y: --no-such-flag"
    ]
    assert list(_faults("run deplou x", tree)) == ["gcloud run deplou x: no such command"]
