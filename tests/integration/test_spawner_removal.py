"""Folders that tasks leave in a state that is hard to remove."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runyard.localcloud.spawner.server.folders import Folders, is_untouched
from runyard.localcloud.spawner.server.removal import STEP, remove
from tests.support.spawner import PYTHON, house, inside


def removed(path: Path) -> list[str]:
    """Remove `path`; what stays."""
    left: list[str] = []
    for _ in remove(str(path), left):
        pass
    return left


def test_a_task_cannot_make_a_folder_that_stays(tmp_path: Path) -> None:
    code = """
import os
os.makedirs("closed/inner"); open("closed/inner/file", "w").close()
os.symlink("/etc", "link"); os.symlink("/nowhere", "closed/dangling"); os.mkfifo("pipe")
os.link("closed/inner/file", "hard")
os.makedirs("\\udcff odd\\nname")
for _ in range(300):
    os.mkdir("d"); os.chdir("d")
    if _ % 100 == 0: open("f", "w").close()
os.chdir(os.environ["HOME"])
for each in ("closed/inner", "closed", "d", "."): os.chmod(each, 0)
"""

    async def story() -> None:
        async with house(tmp_path) as made:
            end = await made.run(PYTHON, "-c", code)
            assert end.exit_code == 0, made.texts("e")
            assert end.removed["folder"] == 1
            assert end.left == ()
            assert made.left_behind() == []

    inside(story)
    assert Path("/etc/passwd").exists()


def test_many_files_do_not_stop_the_others(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as made:
            code = "import os\nfor i in range(20000): open(str(i), 'w').close()"
            await made.start("many", PYTHON, "-c", code)
            await made.start("quick", "/bin/true")
            assert (await made.end("many")).removed["folder"] == 1
            assert (await made.end("quick")).removed["folder"] == 1
            assert made.left_behind() == []

    inside(story)


def test_a_folder_that_was_changed_is_not_handed_on(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as made:
            await made.start("long", "/bin/sleep", "1000")
            for number, script in enumerate(("true", "touch x", "chmod 755 .", "true")):
                await made.shell(f"stat -c %a .; ls -A; {script}", key=f"k{number}")
            assert made.texts() == ["700"] * 4
            await made.client.stop("long")
            await made.end("long")
            assert made.left_behind() == []

    inside(story)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_what_cannot_be_removed_is_named(tmp_path: Path) -> None:
    top = tmp_path / "top"
    mounted = top / "a" / "mounted"
    mounted.mkdir(parents=True)
    (top / "file").touch()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", mounted], check=True)
    try:
        left = removed(top)
        assert not (top / "file").exists()
        assert left == [f"{each}: Directory not empty" for each in (top / "a", top)]
    finally:
        subprocess.run(["umount", mounted], check=True)
    assert removed(top) == []
    assert not top.exists()


def test_removal_goes_on_in_steps(tmp_path: Path) -> None:
    top = tmp_path / "top"
    top.mkdir()
    for number in range(3 * STEP):
        (top / str(number)).touch()
    steps = sum(1 for _ in remove(str(top), []))
    assert steps >= 3
    assert not top.exists()
    assert removed(top) == []


def test_a_link_in_place_of_the_folder_is_not_entered(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").touch()
    (tmp_path / "top").symlink_to("precious")
    assert removed(tmp_path / "top") != []
    assert (tmp_path / "precious" / "file").exists()


_TREES = st.recursive(
    st.sampled_from(["file", "link", "fifo"]),
    lambda inner: st.dictionaries(
        st.text("ab.-ü", min_size=1, max_size=3).filter(lambda name: name.strip(".")), inner
    ),
    max_leaves=20,
)


@settings(max_examples=50, deadline=None)
@given(
    tree=st.dictionaries(st.sampled_from("abc"), _TREES), mode=st.sampled_from([0o700, 0, 0o500])
)
def test_any_tree_goes(tmp_path_factory: pytest.TempPathFactory, tree: object, mode: int) -> None:
    top = tmp_path_factory.mktemp("trees") / "top"
    _grow(top, tree, mode)
    assert removed(top) == []
    assert not os.path.lexists(top)


def _grow(path: Path, tree: object, mode: int) -> None:
    if tree == "file":
        path.touch()
    elif tree == "link":
        path.symlink_to("/etc")
    elif tree == "fifo":
        os.mkfifo(path)
    elif isinstance(tree, dict):
        path.mkdir()
        for name, inner in tree.items():
            _grow(path / name, inner, mode)
        path.chmod(mode)


def test_spare_folders_are_as_good_as_new(tmp_path: Path) -> None:
    folders = Folders(str(tmp_path), "x")
    first = folders.take(needs_folder=True)
    path = Path(folders.make(first))
    assert is_untouched(str(path))
    assert folders.give_back(first)
    assert folders.take(needs_folder=False) != first
    assert folders.take(needs_folder=True) == first
    path.chmod(0o755)
    assert not folders.give_back(first)
    path.chmod(0o700)
    os.setxattr(path, "user.note", b"hello")
    assert not folders.give_back(first)
    with pytest.raises(FileExistsError):
        folders.make(first)
    path.rmdir()
    path.symlink_to("/")
    assert not folders.give_back(first)
