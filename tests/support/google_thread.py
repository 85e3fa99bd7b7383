"""Google's face of a cloud with real processes, in a thread of its own: for tests that do not run
an event loop themselves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.google_face import ServedFace, google_face


@contextmanager
def google_beside(folder: Path) -> Iterator[ServedFace]:
    """A face in `folder`, until the block ends."""
    served: list[ServedFace] = []
    failed: list[BaseException] = []
    is_up = threading.Event()
    ends: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def main() -> None:
        end = asyncio.Event()
        ends.append((asyncio.get_running_loop(), end))
        async with google_face(folder) as face:
            served.append(face)
            is_up.set()
            await end.wait()

    def work() -> None:
        try:
            asyncio.run(main())
        except BaseException as error:  # told where the test waits
            failed.append(error)
        finally:
            is_up.set()

    thread = threading.Thread(target=work, name="google")
    thread.start()
    is_up.wait()
    try:
        assert not failed, failed
        yield served[0]
    finally:
        loop, end = ends[0]
        if thread.is_alive():
            loop.call_soon_threadsafe(end.set)
        thread.join()
    assert not failed, failed
