"""`runyard topics`: where events are published."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from runyard.cli import output
from runyard.cli.client import segment
from runyard.cli.connect import connect
from runyard.cli.event_parameters import Environment, NewName, Topic, seconds
from runyard.cli.files import read_bytes
from runyard.cli.message_files import batches, message, read_lines
from runyard.cli.parameters import AsJson, Yes, assignments
from runyard.cli.secret_parameters import agreed
from runyard.cli.surroundings import now
from runyard.cli.tables import table
from runyard.cli.times import local, span
from runyard.model.errors import Fault, InvalidSpec
from runyard.model.pubsub.limits import MESSAGE_BYTES_MAX

topics = App(
    name="topics",
    help="Make topics and publish to them.",
    group_commands="Commands",
)


@topics.default
@topics.command(name="list")
def list_topics(*, environment: Environment = None, json_: AsJson = False) -> None:
    """List topics."""
    found = connect().get("/topics", {"environment": environment})
    if json_:
        output.document(found)
        return
    rows = (
        (one["name"], _kept(one["retention_seconds"]), local(one["created_at"], now()))
        for one in found["topics"]
    )
    empty = "no topics; make one with `runyard topics create`"
    table(("topic", "keeps messages", "created"), rows, empty=empty)


@topics.command
def create(
    name: NewName,
    /,
    *,
    retention: Annotated[
        str | None,
        Parameter(
            help="How long any subscription can have messages again: 10m to 31d; else the topic "
            "keeps none for itself."
        ),
    ] = None,
    environment: Environment = None,
    json_: AsJson = False,
) -> None:
    """Make a topic."""
    body = {"name": name, "retention_seconds": seconds("--retention", retention) or 0}
    made = connect().post("/topics", body, query={"environment": environment})
    if json_:
        output.document(made)
    else:
        output.line(f"topic {made['name']} is made")


@topics.command
def get(name: Topic, /, *, environment: Environment = None, json_: AsJson = False) -> None:
    """Show a topic and who gets its messages."""
    found = connect().get(f"/topics/{segment(name)}", {"environment": environment})
    if json_:
        output.document(found)
        return
    names = found["subscriptions"]
    output.pairs(
        [
            ("topic", found["name"]),
            ("environment", found["environment"]),
            ("created", local(found["created_at"], now())),
            ("keeps messages", _kept(found["retention_seconds"])),
            ("subscriptions", ", ".join(names) or "none: what is published is lost"),
        ]
    )


@topics.command
def delete(
    name: Topic,
    /,
    *,
    yes: Yes = False,
    environment: Environment = None,
    json_: AsJson = False,
) -> None:
    """Remove a topic. Its subscriptions stay, with what they have to deliver."""
    agreed(yes, f"Remove topic {name}, for good?")
    gone = connect().delete(f"/topics/{segment(name)}", {"environment": environment})
    if json_:
        output.document(gone)
    else:
        output.line(f"topic {gone['name']} is removed")


@topics.command
def publish(
    name: Topic,
    data: Annotated[str | None, Parameter(name="DATA", help="The message's data, as text.")] = None,
    /,
    *,
    file: Annotated[
        Path | None, Parameter(help="The message's data are this file's content.")
    ] = None,
    json_lines: Annotated[
        Path | None,
        Parameter(
            help="Many messages: each line is an object with `data` (a text, or any JSON) or "
            "`data_base64`, `attributes`, `ordering_key`.",
        ),
    ] = None,
    attribute: Annotated[
        list[str] | None, Parameter(name=["--attribute", "-a"], help="key=value; may be repeated.")
    ] = None,
    ordering_key: Annotated[
        str | None, Parameter(help="Messages of one key are delivered in their order.")
    ] = None,
    environment: Environment = None,
    json_: AsJson = False,
) -> None:
    """Publish a message, or many. They are kept when this ends well."""
    attributes = assignments("--attribute", attribute)
    if json_lines is not None:
        _one_of(data is None and file is None and not attributes and ordering_key is None)
        messages = read_lines(json_lines)
    else:
        _one_of(data is None or file is None)
        content = read_bytes(file, MESSAGE_BYTES_MAX) if file else (data or "").encode()
        messages = [message(content, attributes, ordering_key or "")]
    client, ids = connect(), list[str]()
    for batch in batches(messages):
        body: dict[str, Any] = {"messages": batch}
        path = f"/topics/{segment(name)}:publish"
        ids += client.post(path, body, query={"environment": environment})["message_ids"]
    if json_:
        output.document({"message_ids": ids})
    elif len(ids) == 1:
        output.line(f"message {ids[0]}")
    else:
        output.line(f"{len(ids)} messages")


def _one_of(is_so: bool) -> None:
    if not is_so:
        fault = Fault("topics publish", "", "one of DATA, --file and --json-lines")
        hint = "in a file of JSON lines each message says its own attributes and ordering key"
        raise InvalidSpec("what shall be published is said twice", hint=hint, faults=(fault,))


def _kept(retention_seconds: int) -> str:
    return span(retention_seconds) if retention_seconds else "no"
