"""Finds an expression in texts. It may take for ever, and holds up all threads meanwhile: so a
process of its own does it, which ends with who asks."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from subprocess import DEVNULL, PIPE

from runyard.model.errors import ProviderUnavailable
from runyard.provider.gcp.errors import NAME

_PROGRAM = """
import json, re, sys
pattern, texts = json.load(sys.stdin)
search = re.compile(pattern).search
json.dump([search(text) is not None for text in texts], sys.stdout)
"""


async def found_in(pattern: str, texts: Sequence[str]) -> list[bool]:
    """Whether an expression of Python's `re` is found in each of the texts. It takes as long as it
    takes: cancel it.

    Raises ProviderUnavailable when the process ends before it is done, for want of memory.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-S", "-X", "utf8", "-c", _PROGRAM,
        stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env={}, start_new_session=True,
    )  # fmt: skip
    try:
        said, _ = await process.communicate(json.dumps([pattern, list(texts)]).encode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise ProviderUnavailable(
            "the process that looks for the expression in lines has ended before it was done",
            name=NAME,
            operation="search logs",
            hint="a simpler expression takes less memory",
        )
    found: list[bool] = json.loads(said)
    return found
