"""`runyard run`: ask for a run of a job, and follow it if asked to."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Annotated, Any

from cyclopts import Group, Parameter

from runyard.cli import output, wait
from runyard.cli.connect import connect
from runyard.cli.parameters import AsJson, JobName, Labels, assignments
from runyard.model.errors import Fault, InvalidSpec

_OVERRIDES = Group("Changed for this run only", sort_key=1)
_FOLLOW = Group("Waiting", sort_key=2)


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """Which run is asked for."""

    region: Annotated[str | None, Parameter(help="One of the job's regions.")] = None
    environment: Annotated[str | None, Parameter(help="The job's environment.")] = None
    priority: Annotated[int | None, Parameter(help="Higher starts earlier.")] = None
    label: Labels = None
    key: Annotated[
        str | None,
        Parameter(help="Idempotency key: asking again with it gives the same run, not a new one."),
    ] = None

    def fields(self) -> dict[str, Any]:
        """As the REST API wants them. The key is ours if none was given: then a request whose
        answer was lost can be repeated safely."""
        return {
            "region": self.region,
            "environment": self.environment,
            "priority": self.priority,
            "labels": assignments("--label", self.label) or None,
            "idempotency_key": self.key or f"cli-{os.urandom(16).hex()}",
        }


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What is changed for this run only."""

    arg: Annotated[
        list[str] | None,
        Parameter(
            group=_OVERRIDES,
            allow_leading_hyphen=True,
            help="An argument of the first container, instead of the job's; may be repeated.",
        ),
    ] = None
    args_json: Annotated[
        str | None,
        Parameter(group=_OVERRIDES, help='All arguments as a JSON array; "[]" means none.'),
    ] = None
    env: Annotated[
        list[str] | None,
        Parameter(group=_OVERRIDES, help="KEY=VALUE added to the environment; may be repeated."),
    ] = None
    tasks: Annotated[int | None, Parameter(group=_OVERRIDES, help="How many tasks.")] = None
    timeout: Annotated[
        str | None, Parameter(group=_OVERRIDES, help="Of one task attempt, such as 30s.")
    ] = None

    def overrides(self) -> dict[str, Any]:
        """As the REST API wants them; empty when nothing is changed."""
        return _given(
            {
                "args": _arguments(self.arg, self.args_json),
                "env": assignments("--env", self.env) or None,
                "task_count": self.tasks,
                "timeout": self.timeout,
            }
        )


_ANY, _NONE = Wishes(), Changes()


def run(
    job: JobName,
    /,
    *,
    wishes: Annotated[Wishes, Parameter(name="*")] = _ANY,
    changes: Annotated[Changes, Parameter(name="*")] = _NONE,
    wait_: Annotated[
        bool,
        Parameter(
            name=["--wait", "-w"],
            group=_FOLLOW,
            help="Follow the run to its end and exit with its outcome.",
        ),
    ] = False,
    no_log: Annotated[
        bool, Parameter(group=_FOLLOW, help="With --wait: leave the log out.")
    ] = False,
    json_: AsJson = False,
) -> int:
    """Run a job.

    Prints the id of the run. With `--wait`, log lines go to stdout with the task's index in front,
    and the exit status is 0 when the run succeeded, 1 when it is dead, 3 when it was cancelled,
    4 when it was skipped. Ctrl-C stops the waiting, not the run. `--wait --json` prints a JSON line
    for every event.
    """
    overrides = changes.overrides() or None
    body = _given({"job": job, "overrides": overrides} | wishes.fields())
    runs = connect().post("/runs", body, again=True)["runs"]
    if wait_:
        return wait.follow(runs, log=not no_log, as_json=json_)
    _show(runs, json_)
    return 0


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _arguments(given: list[str] | None, as_json: str | None) -> list[str] | None:
    if as_json is None:
        return given
    fault = Fault("--args-json", as_json[:60], "a JSON array of texts", 'such as ["--month", "3"]')
    if given is not None:
        raise InvalidSpec("--arg and --args-json exclude each other")
    try:
        parsed = json.loads(as_json)
    except ValueError:
        raise InvalidSpec("--args-json is not understood", faults=(fault,)) from None
    if not isinstance(parsed, list) or not all(isinstance(item, str) for item in parsed):
        raise InvalidSpec("--args-json is not understood", faults=(fault,))
    return parsed


def _show(runs: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        output.document({"runs": runs})
        return
    for made in runs:
        output.line(made["id"])
        output.note(f"{made['job']} in {made['region']} is {made['state']}")
    output.note(f"follow it with `runyard logs -f {runs[0]['id']}`")
