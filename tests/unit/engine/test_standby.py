"""One who stands by ends a holder that hangs, and nobody else."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runyard.engine.standby import Standby
from runyard.premises import Post
from runyard.store.memory import Store
from tests.support.databases import IN_MEMORY

HOLDER = """
import fcntl, sys
post = open(sys.argv[1] + "/post", "w")
fcntl.flock(post, fcntl.LOCK_EX)
post.write("old"); post.flush()
print("holds it", flush=True)
sys.stdin.read()
"""
PATIENCE_SECONDS = 60


@contextmanager
def held(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The post of `folder`, held by another process."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"holds it\n"
        try:
            yield process
        finally:
            process.kill()


class Leaving(Post):
    """A post whose holder ends just after it has kept somebody from taking it."""

    def __init__(self, folder: Path, holder: subprocess.Popen[bytes]) -> None:
        super().__init__(folder)
        self._holder = holder

    def take(self, name: str) -> bool:
        """See `Post.take`."""
        taken = super().take(name)
        self._holder.kill()
        self._holder.wait()
        return taken


def waited(post: Post, lease_seconds: float) -> str:
    """Stand by until the post is ours; who holds it then."""

    async def scene() -> str:
        async with IN_MEMORY.furnished() as database:
            standby = Standby(
                database,
                Store.of("sqlite"),
                post,
                "new",
                lease_seconds=lease_seconds,
                seconds=asyncio.get_running_loop().time,
            )
            async with asyncio.timeout(PATIENCE_SECONDS):
                await standby.until_ours()
            holder = post.holder()
            post.close()
            return holder

    return asyncio.run(scene())


def test_a_holder_that_hangs_is_ended(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with held(tmp_path) as process:
        process.send_signal(signal.SIGSTOP)
        assert waited(Post(tmp_path), lease_seconds=1.5) == "new"
        assert process.wait() == -signal.SIGKILL
    assert "old has given no sign of life for 1.5 s: it is ended, and new takes" in caplog.text


def test_a_holder_that_dies_is_followed_at_once(tmp_path: Path) -> None:
    with held(tmp_path) as process:
        process.kill()
        assert waited(Post(tmp_path), lease_seconds=3600) == "new"


def test_a_holder_that_dies_while_it_is_looked_for_is_followed_at_once(tmp_path: Path) -> None:
    with held(tmp_path) as process:
        assert waited(Leaving(tmp_path, process), lease_seconds=3600) == "new"


def test_the_kernel_names_who_holds_the_post(tmp_path: Path) -> None:
    post = Post(tmp_path)
    assert post.handle() is None
    with held(tmp_path) as process:
        handle = post.handle()
        assert handle is not None
        told = Path(f"/proc/self/fdinfo/{handle}").read_text()
        assert f"Pid:\t{process.pid}\n" in told
        os.close(handle)
    post.close()
