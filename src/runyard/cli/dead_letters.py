"""`runyard dead-letters`: runs that were given up, looked at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from cyclopts import App, Parameter

from runyard.cli import output
from runyard.cli.client import Client, segment
from runyard.cli.connect import connect
from runyard.cli.letter_parameters import ANY, LetterRef, StateName, Which, letter_id
from runyard.cli.parameters import AsJson
from runyard.cli.surroundings import now
from runyard.cli.tables import table
from runyard.cli.times import local
from runyard.model.errors import Fault, InvalidSpec

Document = dict[str, Any]
PAGE_SIZE_MAX = 1000
State = Annotated[
    StateName,
    Parameter(help="queued: in the queue; every; or one state. queued if not said."),
]
Limit = Annotated[int, Parameter(show_default=True, help="At most so many.")]

dead_letters = App(
    name="dead-letters",
    help="List runs that were given up, by what they have in common; replay or discard them.",
    group_commands="Commands",
)


@dead_letters.default
@dead_letters.command(name="list")
def list_letters(
    *,
    which: Annotated[Which, Parameter(name="*")] = ANY,
    state: State = "queued",
    limit: Limit = 50,
    json_: AsJson = False,
) -> None:
    """List dead letters, the latest death first, and when each leaves the queue by itself."""
    _check(limit)
    page = _pages(connect(), which.fields() | {"state": state}, limit)
    if json_:
        output.document(page)
        return
    at = now()
    table(
        ("run", "job", "class", "group", "state", "died", "leaves", "what"),
        (
            (
                one["run"],
                one["job"],
                one["failure_class"],
                one["group"],
                one["state"],
                local(one["died_at"], at),
                local(one["leaves_at"], at),
                one["title"],
            )
            for one in page["letters"]
        ),
        empty="no dead letters",
    )
    if page["next_page_token"]:
        output.note(f"there are {page['count']}: --limit N, or narrow it down")


@dead_letters.command
def groups(
    *,
    which: Annotated[Which, Parameter(name="*")] = ANY,
    state: State = "queued",
    limit: Limit = 50,
    json_: AsJson = False,
) -> None:
    """List groups of dead letters: one job, one class, and errors that say the same."""
    _check(limit)
    found = connect().get("/dead-letter-groups", which.fields() | {"state": state, "limit": limit})
    if json_:
        output.document(found)
        return
    at = now()
    table(
        ("group", "job", "class", "letters", "open", "first", "last", "what"),
        (
            (
                one["group"],
                one["job"],
                one["failure_class"],
                str(one["count"]),
                str(one["open"]),
                local(one["first_at"], at),
                local(one["last_at"], at),
                one["title"],
            )
            for one in found["groups"]
        ),
        empty="no dead letters",
    )


@dead_letters.command
def show(ref: LetterRef, /, *, json_: AsJson = False) -> None:
    """Show a dead letter: why its run died, and what was done about it."""
    client = connect()
    one = client.get(f"/dead-letters/{segment(letter_id(client, ref))}")
    if json_:
        output.document(one)
        return
    at = now()
    output.pairs(
        (
            ("run", one["run"]),
            ("job", f"{one['job']} in {one['environment']}, {one['region']}"),
            ("revision", one["revision"]),
            ("state", one["state"]),
            ("class", f"{one['failure_class']} (by {one['rule']})"),
            *(("evidence", line) for line in one["evidence"]),
            ("reason", one["reason"]),
            ("attempts", one["attempts"]),
            ("group", f"{one['group']}: {one['title']}"),
            ("died", local(one["died_at"], at)),
            ("leaves", local(one["leaves_at"], at)),
            ("in place of", one["replay_of"]),
            ("replay", one["replay"]),
            *(
                ("published", f"to {each['topic']} as message {each['message']}")
                for each in one["published"]
            ),
        )
    )
    if one["notes"]:
        output.line("")
        table(
            ("at", "state", "by", "run", "why"),
            (
                (local(note["at"], at), note["state"], note["by"], note["run"], note["why"])
                for note in one["notes"]
            ),
        )
    output.note(f"`runyard runs bundle {one['run']}` has all that is known of it in one file")


@dead_letters.command
def export(
    *,
    which: Annotated[Which, Parameter(name="*")] = ANY,
    state: State = "queued",
    json_: AsJson = True,
) -> None:
    """Print dead letters as JSON lines, the latest death first. They stay in the queue."""
    for one in _every(connect(), which.fields() | {"state": state}):
        output.json_line(one)


@dead_letters.command
def replays(*, limit: Limit = 20, json_: AsJson = False) -> None:
    """List replays of several dead letters, newest first, and how far they are."""
    _check(limit)
    found = connect().get("/replays", {"page_size": limit})
    if json_:
        output.document(found)
        return
    at = now()
    table(
        ("replay", "state", "begun", "letters", "asked", "succeeded", "died", "left", "what"),
        (
            (
                one["id"],
                one["state"],
                local(one["requested_at"], at),
                str(one["total"]),
                str(one["asked"]),
                str(one["succeeded"]),
                str(one["died"]),
                str(one["left"] + one["ended_otherwise"]),
                one["what"] + (f" ({one['reason']})" if one["reason"] else ""),
            )
            for one in found["replays"]
        ),
        empty="no replays",
    )


def _check(limit: int) -> None:
    if not 1 <= limit <= PAGE_SIZE_MAX:
        fault = Fault("--limit", str(limit), f"1 to {PAGE_SIZE_MAX}")
        raise InvalidSpec("--limit is not understood", faults=(fault,))


def _pages(client: Client, query: Document, limit: int) -> Document:
    page: Document = client.get("/dead-letters", query | {"page_size": limit})
    return page


def _every(client: Client, query: Document) -> Iterator[Document]:
    token = ""
    while True:
        asked = query | {"page_size": 200, "page_token": token}
        page = client.get("/dead-letters", asked)
        yield from page["letters"]
        token = page["next_page_token"]
        if not token:
            return


for _name in ("replay", "discard", "publish", "fixed", "cancel"):
    # Modules of their own: what changes something takes imports that a list need not wait for.
    dead_letters.command(f"runyard.cli.dead_letter_changes:{_name}", name=_name)
