"""README, tutorial, guides and examples work as printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.console import Command, File, fits, steps
from tests.support.reader import faults
from tests.support.tree import ROOT, relative

DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "runner" / "README.md",
    *sorted((ROOT / "docs" / "tutorial").glob("*.md")),
    *sorted((ROOT / "docs" / "guides").glob("*.md")),
    *sorted((ROOT / "examples").rglob("README.md")),
]


@pytest.mark.parametrize("document", DOCUMENTS, ids=relative)
def test_a_document_works_as_printed(document: Path, tmp_path: Path) -> None:
    assert any(isinstance(step, Command) for step in steps(document.read_text()))
    told = faults(document, tmp_path)
    assert not told, "\n\n".join(told)


def test_every_example_is_explained_and_shown() -> None:
    folders = [path.parent for path in sorted((ROOT / "examples").glob("*/runyard.yaml"))]
    assert len(folders) >= 9
    listed = (ROOT / "examples" / "README.md").read_text()
    for folder in folders:
        assert (folder / "README.md").is_file()
        assert f"({folder.name}/README.md)" in listed


TEXT = """\
<!-- file: a/b.yaml -->
```yaml
x: 1
```

```console
$ echo one \\
>   two
one two
$ runyard runs
RUN  STATE
run_01m81c60bv5cy9b9e2bxnasr4y  succeeded ... 3.1s
...
last
```
"""


def test_a_document_is_read_as_files_and_commands() -> None:
    file, echo, runs = steps(TEXT)
    assert file == File("a/b.yaml", "x: 1\n")
    assert echo == Command(7, "echo one \\\n  two", "one two")
    assert isinstance(runs, Command)
    assert (runs.line, runs.text) == (10, "runyard runs")
    same = "RUN   STATE\nrun_01m81c6ma4a5exeh0mestepenc  succeeded  1/1 44ms\nx\ny\nlast"
    assert fits(runs, same)
    assert not fits(runs, same.replace("succeeded", "dead"))
    assert not fits(runs, same + "\nmore")


def test_lines_in_any_order_still_are_all_there() -> None:
    command = Command(1, "x", "[1] b\n[0] a", any_order=True)
    assert fits(command, "[0] a\n[1] b")
    assert not fits(command, "[0] a")
    assert not fits(command, "[0] a\n[1] b\n[2] c")
