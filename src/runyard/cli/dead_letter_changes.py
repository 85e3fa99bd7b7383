"""`runyard dead-letters replay`, `discard`, `publish`, `fixed` and `cancel`."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import Group, Parameter

from runyard.cli import output
from runyard.cli.client import Client, segment
from runyard.cli.connect import connect
from runyard.cli.letter_parameters import (
    ANY,
    WHICH,
    Which,
    complete_groups,
    complete_letters,
    letter_id,
)
from runyard.cli.parameters import AsJson, JobName
from runyard.cli.run import Changes
from runyard.model.errors import Fault, InvalidSpec

Document = dict[str, Any]
_SHOWN = 10  #: letters that are listed before their number is told
_PACE = Group("Many of them", sort_key=2)
_AS_THEY_WERE = Changes()
Letters = Annotated[
    str,
    Parameter(
        name="RUN",
        help="Dead runs: ids, beginnings of them, or @last; else say which below.",
        completer=complete_letters,
    ),
]
Every = Annotated[
    bool, Parameter(name="--all", help="All open ones of the environment.", group=WHICH)
]
PerMinute = Annotated[int, Parameter(group=_PACE, help="So many runs a minute; 60 if not said.")]


def replay(
    *runs: Letters,
    which: Annotated[Which, Parameter(name="*")] = ANY,
    every: Every = False,
    changes: Annotated[Changes, Parameter(name="*")] = _AS_THEY_WERE,
    memory: Annotated[
        str | None, Parameter(help="Of a task, for this run only, such as 1Gi.")
    ] = None,
    as_it_was: Annotated[
        bool, Parameter(help="By the revision that the dead run had, not the newest.")
    ] = False,
    verify_first: Annotated[
        bool, Parameter(group=_PACE, help="One of them first; the rest once it has succeeded.")
    ] = False,
    per_minute: PerMinute = 60,
    dry_run: Annotated[bool, Parameter(help="Say which there would be, and do nothing.")] = False,
    json_: AsJson = False,
) -> None:
    """Ask for new runs in place of dead ones, by the job as it is now.

    Each new run has what was changed for the dead one (arguments, variables), and what is said
    here. One letter is replayed at once; several go one after the other, and go on by themselves.
    """
    client = connect()
    how = _given({"overrides": changes.overrides() or None, "memory": memory})
    how |= {"as_it_was": as_it_was} if as_it_was else {}
    if len(runs) == 1 and which == ANY and not (every or verify_first or dry_run):
        run = client.post(f"/dead-letters/{segment(letter_id(client, runs[0]))}:replay", how)
        _one(run, json_)
        return
    body = how | {
        "which": _which(client, runs, which, every=every),
        "verify_first": verify_first,
        "per_minute": per_minute,
        "preview": dry_run,
    }
    _begun(client.post("/dead-letters:replay", body), json_)


def fixed(
    job: JobName,
    /,
    *,
    group: Annotated[
        str | None, Parameter(help="Only this group of its dead.", completer=complete_groups)
    ] = None,
    per_minute: PerMinute = 60,
    environment: Annotated[str | None, Parameter(help="The job's; else the server's.")] = None,
    project: Annotated[str | None, Parameter(help="Where several have such a job.")] = None,
    json_: AsJson = False,
) -> None:
    """Say that a job is fixed: its dead are replayed by its newest revision, the first of them
    before the others, and its runs that wait to be mended go on."""
    body = {"job": job, "group": group, "environment": environment, "project": project}
    asked = _given(body) | {"per_minute": per_minute}
    done = connect().post("/dead-letters:fixed", asked)
    if not json_ and done["resumed"]:
        output.line(f"{', '.join(done['resumed'])} went on")
    if not json_ and not done["letters"]:
        output.line(f"{job} has no open dead letter")
        return
    _begun(done, json_)


def discard(
    *runs: Letters,
    reason: Annotated[str, Parameter(help="Why they need not be replayed.")],
    which: Annotated[Which, Parameter(name="*")] = ANY,
    every: Every = False,
    json_: AsJson = False,
) -> None:
    """Take dead letters out of the queue without runs."""
    client = connect()
    if len(runs) == 1 and which == ANY and not every:
        one = letter_id(client, runs[0])
        letter = client.post(f"/dead-letters/{segment(one)}:discard", {"reason": reason})
        done = {"discarded": [letter["run"]]}
    else:
        body = {"which": _which(client, runs, which, every=every), "reason": reason}
        done = client.post("/dead-letters:discard", body)
    if json_:
        output.document(done)
    else:
        _count(done["discarded"], "discarded")


def publish(
    topic: Annotated[str, Parameter(name="TOPIC", help="A topic of their environment.")],
    /,
    *runs: Letters,
    which: Annotated[Which, Parameter(name="*")] = ANY,
    every: Every = False,
    again: Annotated[bool, Parameter(help="Also those that were published there before.")] = False,
    json_: AsJson = False,
) -> None:
    """Publish open dead letters to a topic, each as a message. They stay in the queue."""
    client = connect()
    body = {"which": _which(client, runs, which, every=every), "topic": topic, "again": again}
    done = client.post("/dead-letters:publish", body)
    if json_:
        output.document(done)
        return
    before = f"; {len(done['before'])} had been before" if done["before"] else ""
    count = len(done["published"])
    output.line(f"{count} {'letter' if count == 1 else 'letters'} published to {topic}{before}")


def cancel(
    replay_id: Annotated[str, Parameter(name="REPLAY", help="A replay's id, as it was told.")],
    /,
    *,
    reason: Annotated[str, Parameter(help="Why; kept with it.")] = "",
    json_: AsJson = False,
) -> None:
    """Have no more letters of a replay asked for; they are open again. Its runs go on."""
    done = connect().post(f"/replays/{segment(replay_id)}:cancel", {"reason": reason})
    if json_:
        output.document(done)
    else:
        output.line(
            f"{done['id']} is {done['state']}: {done['asked']} of {done['total']} asked for"
        )


def _which(client: Client, runs: tuple[str, ...], which: Which, *, every: bool) -> Document:
    fields = which.fields()
    if runs:
        fields["letters"] = [letter_id(client, each) for each in runs]
    if every:
        fields["every"] = True
    if not set(fields) - {"environment", "project"}:
        expected = "runs, or one of --job, --class, --group, --since, --until, --all"
        fault = Fault("RUN", "", expected, "`runyard dead-letters` lists them")
        raise InvalidSpec("it is not said which dead letters are meant", faults=(fault,))
    return fields


def _one(run: Document, as_json: bool) -> None:
    if as_json:
        output.document(run)
        return
    output.line(run["id"])
    output.note(f"{run['job']} in {run['region']}, revision {run['revision']}, is {run['state']}")
    output.note(f"follow it with `runyard logs -f {run['id']}`")


def _begun(done: Document, as_json: bool) -> None:
    if as_json:
        output.document(done)
        return
    replay_, letters = done["replay"], done["letters"]
    for each in letters[:_SHOWN]:
        output.line(each)
    if len(letters) > _SHOWN:
        output.line(f"and {len(letters) - _SHOWN} more")
    if replay_ is None:
        _count(letters, "would be replayed")
        return
    _count(
        letters,
        f"are replayed by {replay_['id']}"
        if len(letters) != 1
        else f"is replayed by {replay_['id']}",
    )
    output.note("`runyard dead-letters replays` shows how far it is")


def _count(letters: list[str], what: str) -> None:
    output.line(f"{len(letters)} {'letter' if len(letters) == 1 else 'letters'} {what}")


def _given(fields: Document) -> Document:
    return {name: value for name, value in fields.items() if value is not None}
