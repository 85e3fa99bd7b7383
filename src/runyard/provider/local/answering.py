"""What every call to the cloud on this machine may raise, and how long it may take."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from runyard.model.errors import (
    CallerError,
    ProviderRefused,
    ProviderTimeout,
    ProviderUnavailable,
    QuotaExceeded,
    StaleVersion,
    StoreError,
)

ANSWER_SECONDS = 30.0  #: longer than this no call keeps its caller waiting
NAME = "local"


@asynccontextmanager
async def answering(operation: str, key: str = "") -> AsyncIterator[None]:
    """Every error as one of the three that a provider may raise, within a bounded time."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            yield
    except TimeoutError:
        raise ProviderTimeout(
            f"the local cloud did not answer within {ANSWER_SECONDS:g} s",
            name=NAME,
            operation=operation,
            key=key,
        ) from None
    except QuotaExceeded as error:
        raise ProviderUnavailable(
            error.message, name=NAME, operation=operation, key=key, hint=error.hint
        ) from error
    except (CallerError, StaleVersion) as error:
        raise ProviderRefused(
            error.message, name=NAME, operation=operation, key=key, hint=error.hint
        ) from error
    except StoreError as error:
        raise ProviderUnavailable(
            error.message, name=NAME, operation=operation, key=key, hint=error.hint
        ) from error
