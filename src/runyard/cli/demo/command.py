"""`runyard demo`: real jobs on a server of its own, from nothing to an exit status that says
whether all went as it should."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from types import FrameType
from typing import Annotated, Any

from cyclopts import Parameter

from runyard.cli import output
from runyard.cli.client import Client
from runyard.cli.demo import closing, findings, incident, play, scene, verdict
from runyard.cli.demo.bank import Bank, away
from runyard.cli.demo.closing import Story
from runyard.cli.demo.ground import Ground, prepared
from runyard.cli.demo.incident import Telling
from runyard.cli.demo.interpreter import search_path
from runyard.cli.demo.jobs import FLIGHTS_JOB, DemoJob, jobs, lay_out
from runyard.cli.demo.receiver import listening
from runyard.cli.parameters import AsJson
from runyard.cli.run_ref import path
from runyard.cli.surroundings import now, settings
from runyard.cli.times import span

Document = dict[str, Any]
EXPLAINED = "import-orders"  #: the run with the longest story
STATUS_DIFFERENT = 1


def demo(
    *,
    keep: Annotated[
        bool, Parameter(help="Leave the server running and its folder in place, to look around.")
    ] = False,
    json_: AsJson = False,
) -> int:
    """Run real jobs to their ends, and say what happened and what it cost.

    It starts a server of its own in a folder of its own; yours is not touched. A job of many tasks
    over real data, one that fails twice and succeeds by retry, one that times out and ends dead,
    one that is killed for memory and gets more, one that waits until its bank is back, and one that
    is cancelled. What is dead opens an incident, of which a receiver is told, and which is over by
    itself. Then all is removed. Exits with 0 when everything went as it should, else with 1.
    """
    config = settings()
    began_at = now()
    with interruptible():
        python_path = search_path(config.task_user)
        with prepared(config, keep=keep) as ground:
            if not json_:
                took = span((now() - began_at).total_seconds())
                output.line(f"A server of its own is up at {ground.url} after {took}", at_once=True)
            story = _played(ground, python_path, as_json=json_)
            _tell(story, ground, keep=keep, as_json=json_)
            sys.stdout.flush()
    if not json_ and not keep:
        output.line("The server has ended and its folder is removed.")
    return STATUS_DIFFERENT if story.differences else 0


@contextmanager
def interruptible() -> Iterator[None]:
    """A polite request to end is taken as Ctrl-C is, so that what was begun is cleared away."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {each: signal.signal(each, interrupt) for each in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    except KeyboardInterrupt:
        output.note("interrupted: the server has ended and its folder is removed")
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _played(ground: Ground, python_path: str, *, as_json: bool) -> Story:
    lay_out(ground)
    cast = jobs(ground, python_path)
    if not as_json:
        width = max(len(job.name) for job in cast)
        for job in cast:
            output.line(f"  {job.name:<{width}}  {job.purpose}")
        output.line(at_once=True)
    client, began_at = ground.connect(), now()
    with listening() as receiver, away() as bank:
        play.bring(client, bank)
        incident.watch(client, receiver)
        act = partial(_act, ground, client, began_at, bank, as_json=as_json)
        runs = [*act(cast), *act([incident.AGAIN])]
        messages = list(incident.heard(receiver))
        opened = incident.told(client)
    cast.append(incident.AGAIN)
    ended = [play.told(client, run["id"]) for run in runs]
    story = _story(ended, cast, _sentences(client, ended), Telling(opened, messages))
    client.close()
    return story


def _act(
    ground: Ground,
    client: Client,
    began_at: datetime,
    bank: Bank,
    cast: Sequence[DemoJob],
    *,
    as_json: bool,
) -> list[Document]:
    """Runs of `cast` at the same time, to their ends."""
    runs = play.ask(client, cast)
    shown = scene.chosen([job.name for job in cast], runs, began_at, as_json=as_json)
    try:
        play.follow(ground, cast, runs, shown, bank)
    finally:
        shown.close()
    return runs


def _sentences(client: Any, ended: Sequence[Document]) -> tuple[str, list[str]]:
    run = next(each["id"] for each in ended if each["job"] == EXPLAINED)
    return run, client.get(f"{path(run)}/explanation")["sentences"]


def _story(
    ended: Sequence[Document],
    cast: Sequence[DemoJob],
    explained: tuple[str, list[str]],
    telling: Telling,
) -> Story:
    read = findings.flights if cast[0].name == FLIGHTS_JOB else findings.characters
    found = read(ended[0]["log"])
    differences = [
        *verdict.differences(cast, ended),
        *found.differences,
        *incident.differences(telling),
    ]
    run, sentences = explained
    return Story(ended, found, sentences, run, differences, telling, closing.credit(ended))


def _tell(story: Story, ground: Ground, *, keep: bool, as_json: bool) -> None:
    if as_json:
        kept = {"url": ground.url, "state_folder": str(ground.state_folder)} if keep else {}
        output.document(closing.document(story) | kept)
        return
    closing.tell(story)
    closing.heading("Where to look")
    for line in _kept(ground) if keep else _NEXT:
        output.line(line)
    output.line()
    for words in story.differences:
        output.line(f"Not as it should be: {words}")
    if not story.differences:
        output.line("Everything went as it should.")


_NEXT = (
    "runyard demo --keep          the same, and leaves the server running for you to look around",
    "runyard up                   a server of your own; then `runyard apply` and `runyard run`",
    "docs/tutorial                from an empty folder to a run explained, in 15 minutes",
    "examples                     the manifests of these jobs, and of more",
)


def _kept(ground: Ground) -> list[str]:
    return [
        f"API and its documentation    {ground.url}/docs",
        "token for them               runyard's own commands find it by themselves",
        f"to go on in this shell       export RUNYARD_STATE_FOLDER={ground.state_folder}",
        "then                         runyard runs; runyard explain @last; runyard logs @last",
        f"and at last                  runyard down --stop-runs; rm -r {ground.folder}",
    ]
