"""The server that `benchmarks.parts.http` asks.

`python -m benchmarks.parts.http_server FOLDER RUNS`

Prints its URL and token when it is ready, and `finished` when so many runs are over.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import uvloop

from benchmarks.parts.answering import Finished, answering_engine, clock
from runyard import __version__
from runyard.api.app import make_app
from runyard.api.server import HttpServer
from runyard.api.services import nobody
from runyard.api.streams import Streams
from runyard.cloud_wiring import open_cloud
from runyard.config import Config
from runyard.database.signals import Signals
from runyard.gate.door import Committed
from runyard.gate.people import FirstPrincipal
from runyard.google_wiring import open_hands
from runyard.measures import measuring
from runyard.premises import listening_socket
from runyard.process import settle_memory
from runyard.serving import house_parts
from runyard.telemetry.metrics import Metrics
from runyard.wiring import House, open_rows, services


async def _serve(folder: Path, runs: int) -> None:
    config = Config.load({"RUNYARD_STATE_FOLDER": str(folder), "RUNYARD_PORT": "0"})
    metrics, streams, signals = Metrics(__version__), Streams(), Signals()
    finished = Finished(runs)

    def observe(done: Committed) -> None:
        metrics.observe(done.facts)
        measures.observe(done.facts)
        finished.observe(done)

    with listening_socket(config.host, config.port) as listening:
        async with (
            open_rows(config, "bench") as rows,
            measuring(config, rows, "bench") as measures,
            open_cloud(config, folder / "cloud", lambda: None) as cloud,
            open_hands(config, rows.database, rows.store, cloud.sights) as hands,
            answering_engine(rows.database, signals, observe) as engine,
        ):
            await engine.gate.ask(FirstPrincipal(clock()))
            house = House(config, rows.database, rows.store, signals, cloud, hands, engine)
            made = services(house_parts(house, nobody), metrics, measures, streams)
            server = HttpServer(make_app(made), listening, streams, grace_seconds=1.0)
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.stop)
            telling = asyncio.create_task(_tell(finished))
            token = (folder / "token").read_text().strip()
            settle_memory()
            await server.run(lambda: print(server.url, token, flush=True))
            telling.cancel()


async def _tell(finished: Finished) -> None:
    await finished.reached.wait()
    print("finished", flush=True)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(Path(sys.argv[1]), int(sys.argv[2])))
