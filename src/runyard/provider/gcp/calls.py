"""Calls of Google's libraries, which block, in a few threads; their errors in our words."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from google.api_core import exceptions
from google.auth.exceptions import GoogleAuthError
from requests import RequestException

from runyard.provider.gcp.errors import HINTS, Hints, as_ours, code_of

T = TypeVar("T")
CALLS_AT_ONCE = 10  #: as many connections as the libraries' HTTP sessions keep open


class Calls:
    """The threads that whatever is asked of Google is asked in."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="google")

    def close(self) -> None:
        """Let go; calls under way are not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def of(
        self,
        operation: str,
        call: Callable[[], T],
        key: str = "",
        hide: Iterable[str] = (),
        none_for: Sequence[str] = (),
        hints: Hints = HINTS,
    ) -> T | None:
        """What `call` answers; None where Google's code is one of `none_for`. Raises ProviderError
        that names `operation`, has nothing of `hide`, and the hint of `hints` for the code."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, call)
        except exceptions.GoogleAPICallError as error:
            if code_of(error) in none_for:
                return None
            raise as_ours(error, operation, key, hide, hints) from None
        except (exceptions.GoogleAPIError, GoogleAuthError, RequestException, ValueError) as error:
            raise as_ours(error, operation, key, hide, hints) from None
