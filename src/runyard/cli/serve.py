"""The server's process: `python -m runyard.cli.serve`. What `runyard up` turns into or starts.

The one file of the command line that knows the wiring. It is a process of its own so that no
other command waits for the imports of a server.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import replace

from runyard.cli import output, report, trouble
from runyard.config import Config
from runyard.model.errors import PlatformError
from runyard.wiring import serve


def main() -> int:
    """Serves until SIGTERM or SIGINT and returns the exit status."""
    parser = argparse.ArgumentParser(prog="runyard up")
    parser.add_argument("--host")
    parser.add_argument("--port", type=int)
    parser.add_argument("--ready-fd", type=int)
    given = parser.parse_args()
    chosen = {name: getattr(given, name) for name in ("host", "port")}
    try:
        config = replace(
            Config.load(), **{name: value for name, value in chosen.items() if value is not None}
        )
        return serve(config, on_ready=_teller(given.ready_fd))
    except PlatformError as error:
        return report.error(error, as_json=False, sources={})
    except Exception as error:  # the top: nothing above would catch it
        return trouble.own_fault(error, as_json=False)


def _teller(ready_fd: int | None) -> Callable[[str], None]:
    """Tells who started us that we are ready: a waiting `up -d` by its pipe, a person by a line."""

    def tell(url: str) -> None:
        if ready_fd is None:
            output.line(f"Runyard is up at {url} (ctrl-c stops it)", at_once=True)
            return
        os.write(ready_fd, url.encode())
        os.close(ready_fd)

    return tell


if __name__ == "__main__":
    sys.exit(main())
