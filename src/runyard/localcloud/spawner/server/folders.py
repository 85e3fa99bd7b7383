"""Working folders: each task gets an empty one of its own, mode 0700.

Making and removing a folder costs a disk that is busy syncing several milliseconds. So while other
tasks run, a folder that was left untouched (empty, no attribute changed) goes to the next task as
it is. With the last task the spare ones go too: where nothing runs, no folder stays.
"""

from __future__ import annotations

import os
import stat

SPARE_MAX = 256


class Folders:
    """The folders in `parent`, by name. `name` makes the names of new ones unique."""

    __slots__ = ("_handed_on", "_name", "_serial", "_spare", "parent")

    def __init__(self, parent: str, name: str) -> None:
        self.parent = parent
        self._name = name
        self._serial = 0
        self._spare: list[str] = []
        self._handed_on = ""  # the name taken last, if its folder is there

    def take(self, *, needs_folder: bool) -> str:
        """A name nobody has; the folder of a spare one is there already."""
        if needs_folder and self._spare:
            self._handed_on = self._spare.pop()
            return self._handed_on
        self._serial += 1
        return f"{self._name}-{self._serial}"

    def make(self, name: str) -> str:
        """The path of the folder `name`, made if need be. Raises OSError."""
        path = f"{self.parent}/{name}"
        if name != self._handed_on or not is_untouched(path):
            os.mkdir(path, 0o700)
        return path

    def give_back(self, name: str) -> bool:
        """Keep it for the next task, if it is as good as new."""
        if len(self._spare) >= SPARE_MAX or not is_untouched(f"{self.parent}/{name}"):
            return False
        self._spare.append(name)
        return True

    def spares(self) -> list[str]:
        """The paths of all spare folders; they are the caller's now, to be removed."""
        paths = [f"{self.parent}/{name}" for name in self._spare]
        self._spare.clear()
        return paths


def is_untouched(path: str) -> bool:
    """True for an empty folder of ours, not a link, of mode 0700, without extended attributes."""
    try:
        status = os.lstat(path)
        if stat.S_IFMT(status.st_mode) != stat.S_IFDIR or stat.S_IMODE(status.st_mode) != 0o700:
            return False
        if status.st_uid != os.geteuid() or status.st_nlink > 2:
            return False
        with os.scandir(path) as found:
            return next(found, None) is None and not os.listxattr(path, follow_symlinks=False)
    except OSError:
        return False
