"""A process that hosts a local cloud until somebody kills it: `python -m ... FOLDER`.

Runs one execution of the template it reads from its standard input, as JSON, and says its name.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from runyard.localcloud.cloudrun.resources import Execution, RunRequest
from tests.support.real_cloud import make_real_world


async def main(folder: Path, template: dict[str, object]) -> None:
    world = await make_real_world(folder)
    request = RunRequest("shop", "us-central1", "report", template, request_key="run_a/1")
    execution = await world.cloud.run_job(request)
    assert isinstance(execution, Execution)
    sys.stdout.write(f"{execution.name}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), json.load(sys.stdin)))
