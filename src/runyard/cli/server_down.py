"""`runyard down`: stop the server of this state folder."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import Parameter

from runyard.cli import ending, output
from runyard.cli.client import Client, Query
from runyard.cli.connect import ServerFile, connect
from runyard.cli.parameters import AsJson
from runyard.cli.run_ref import path
from runyard.cli.server_process import running, stop
from runyard.cli.surroundings import settings
from runyard.model.errors import PlatformError, ServerUnavailable
from runyard.model.run import FINAL, State

_PAGE_SIZE = 1000
#: Above the server's own grace, which is a setting: the time to write down what it has.
_MORE_SECONDS = 20.0


def down(
    *,
    stop_runs: Annotated[
        bool, Parameter(help="Cancel every run first, and wait until all are final.")
    ] = False,
    json_: AsJson = False,
) -> int:
    """Stop the server.

    Tasks that are running go on, and the next `runyard up` finds them again, or what became of
    them. With `--stop-runs` they are cancelled first.
    """
    config = settings()
    found = running(config.state_folder)
    if found is None:
        _say("not_running", 0, "no server is running", json_)
        return 0
    stopped_runs = _cancel_all() if stop_runs else 0
    if not stop(found, config.shutdown_grace_seconds + _MORE_SECONDS):
        raise _slow(found)
    goes_on = f"{stopped_runs} runs cancelled" if stop_runs else "tasks that are running go on"
    _say("stopped", stopped_runs, f"stopped; {goes_on}", json_)
    return 0


def _say(status: str, stopped_runs: int, text: str, as_json: bool) -> None:
    if as_json:
        output.document({"status": status, "stopped_runs": stopped_runs})
    else:
        output.line(text)


def _cancel_all() -> int:
    client = connect()
    active = [state.value for state in State if state not in FINAL]
    runs: list[dict[str, Any]] = []
    token = ""
    while True:
        query: Query = {"state": active, "page_size": _PAGE_SIZE, "page_token": token}
        page = client.get("/runs", query)
        runs += page["runs"]
        token = page["next_page_token"]
        if not token:
            break
    for run in runs:
        _cancel(client, run["id"])
    for run in runs:
        ending.until_final(run["id"])
    return len(runs)


def _cancel(client: Client, identity: str) -> None:
    try:
        client.post(f"{path(identity)}:cancel", {"reason": "runyard down --stop-runs"}, again=True)
    except PlatformError as error:
        if error.code != "FAILED_PRECONDITION":  # it has ended by itself meanwhile
            raise


def _slow(found: ServerFile) -> ServerUnavailable:
    return ServerUnavailable(
        f"the server (pid {found.pid}) has not ended yet",
        hint="it may be writing still: run `runyard down` again; its log is server.log in the "
        "state folder",
    )
