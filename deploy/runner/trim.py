"""Makes of a base image what runs: without installers, with a user, with all bytecode compiled.

`python trim.py FOLDER` is run once, as root, while the image is built; FOLDER holds the program.
It removes pip, setuptools and wheel with all that installs them anew, and parts of the standard
library that a service has no use for. Bytecode is `unchecked-hash`: it is good whatever the time
stamps of the files are after they were copied. At last it removes itself.
"""

from __future__ import annotations

import compileall
import shutil
import sys
import sysconfig
from pathlib import Path
from py_compile import PycInvalidationMode

INSTALLERS = ("pip", "setuptools", "wheel", "pkg_resources", "_distutils_hack", "easy_install")
UNUSED = ("ensurepip", "idlelib", "lib2to3", "pydoc_data", "test", "tkinter", "turtledemo", "venv")
USER = "appuser:x:1000:1000:runs the service:/nonexistent:/sbin/nologin\n"
GROUP = "appuser:x:1000:\n"


def library_folders() -> list[Path]:
    """Where Python finds its own library and what was installed, here and by the distribution."""
    paths = sysconfig.get_paths()
    found = {Path(paths[name]) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    found.update(Path(path) for path in sys.path if path.endswith(("-packages", "site-packages")))
    found.add(Path("/usr/share/python-wheels"))  # Debian's ensurepip takes them from here
    return sorted(folder for folder in found if folder.is_dir())


def remove_installers(folder: Path) -> None:
    """Removes what installs, and its metadata, from `folder`."""
    for name in INSTALLERS:
        for path in (*folder.glob(name), *folder.glob(f"{name}-*"), *folder.glob(f"{name}.py")):
            remove(path)
    for path in folder.glob("distutils-precedence.pth"):
        remove(path)


def remove(path: Path) -> None:
    """Removes a file or a folder with all in it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def remove_programs() -> None:
    """Removes the commands of what was removed."""
    for folder in map(Path, ("/usr/local/bin", "/usr/bin", "/bin")):
        for pattern in ("pip", "pip[0-9]*", "idle*", "pydoc*", "2to3*", "wheel", "easy_install*"):
            for path in folder.glob(pattern):
                remove(path)


def add_user() -> None:
    """Adds appuser and its group; no base has the same tools to do it, all have these files."""
    for name, line in (("passwd", USER), ("group", GROUP)):
        path = Path("/etc") / name
        if ":1000:" in path.read_text():
            raise SystemExit(f"{path} has somebody with the number 1000 already")
        with path.open("a") as file:
            file.write(line)


def main() -> None:
    """All of it."""
    app = Path(sys.argv[1])
    folders = library_folders()
    for folder in folders:
        remove_installers(folder)
        for name in UNUSED:
            if (folder / name).is_dir():
                remove(folder / name)
    remove_installers(app)
    shutil.rmtree(app / "bin", ignore_errors=True)  # commands that no one calls
    remove_programs()
    add_user()
    for folder in (*folders, app):
        done = compileall.compile_dir(
            folder, quiet=2, force=True, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH
        )
        if folder == app and not done:
            raise SystemExit(f"{folder} does not compile")
    Path(__file__).unlink()


if __name__ == "__main__":
    main()
