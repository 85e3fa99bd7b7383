"""`runyard subscriptions`: who gets the messages of a topic, and what becomes of them."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import App, Parameter

from runyard.cli import output
from runyard.cli.client import segment
from runyard.cli.connect import connect
from runyard.cli.event_parameters import (
    Environment,
    NewName,
    Subscription,
    complete_topics,
    seconds,
)
from runyard.cli.parameters import AsJson, Yes
from runyard.cli.secret_parameters import agreed
from runyard.cli.surroundings import now
from runyard.cli.tables import table
from runyard.cli.times import local, span

subscriptions = App(
    name="subscriptions",
    help="Say who gets the messages of a topic; pull, acknowledge and replay them.",
    group_commands="Commands",
)
for _name in ("pull", "ack", "modify_ack_deadline", "seek"):
    subscriptions.command(f"runyard.cli.receiving:{_name}", name=_name.replace("_", "-"))


OfTopic = Annotated[str, Parameter(help="Whose messages.", completer=complete_topics)]
Filter = Annotated[
    str,
    Parameter(
        name="--filter",
        allow_leading_hyphen=True,
        help="Only these messages, in Pub/Sub's language: 'attributes.kind = \"order\"'.",
    ),
]
Ordered = Annotated[bool, Parameter(help="Messages of one ordering key come in their order.")]
AckDeadline = Annotated[
    str | None, Parameter(help="When a message is delivered again: 10s to 10m; else after 10s.")
]
Retention = Annotated[
    str | None, Parameter(help="How long messages are kept: 10m to 31d; else 7d.")
]
RetainAcked = Annotated[
    bool, Parameter(help="Also those that were acknowledged, so that `seek` finds them.")
]
DeadLetterTopic = Annotated[
    str | None,
    Parameter(help="Where messages go that were delivered too often.", completer=complete_topics),
]
AttemptsMax = Annotated[int | None, Parameter(help="How often is too often: 5 to 100; else 5.")]
BackoffMin = Annotated[
    str | None,
    Parameter(help="How long a message that came back waits at first, doubled each time."),
]
BackoffMax = Annotated[str | None, Parameter(help="And at most; up to 10m.")]
PushTo = Annotated[str | None, Parameter(name="--push", help="A URL that messages are sent to.")]
Unwrapped = Annotated[bool, Parameter(help="Push the data alone.")]
WriteMetadata = Annotated[
    bool, Parameter(help="Unwrapped, with metadata and attributes as headers.")
]


@subscriptions.default
@subscriptions.command(name="list")
def list_subscriptions(*, environment: Environment = None, json_: AsJson = False) -> None:
    """List subscriptions."""
    found = connect().get("/subscriptions", {"environment": environment})
    if json_:
        output.document(found)
        return
    rows = ((one["name"], one["topic"], _way(one), one["filter"]) for one in found["subscriptions"])
    empty = "no subscriptions; make one with `runyard subscriptions create`"
    table(("subscription", "topic", "delivery", "filter"), rows, empty=empty)


@subscriptions.command
def create(
    name: NewName,
    /,
    *,
    topic: OfTopic,
    filter_: Filter = "",
    ordered: Ordered = False,
    ack_deadline: AckDeadline = None,
    retention: Retention = None,
    retain_acked: RetainAcked = False,
    dead_letter_topic: DeadLetterTopic = None,
    attempts_max: AttemptsMax = None,
    backoff_min: BackoffMin = None,
    backoff_max: BackoffMax = None,
    push: PushTo = None,
    unwrapped: Unwrapped = False,
    write_metadata: WriteMetadata = False,
    environment: Environment = None,
    json_: AsJson = False,
) -> None:
    """Make a subscription. It gets what is published from now on."""
    times = {"ack_deadline": ack_deadline, "retention": retention}
    body: dict[str, Any] = {
        f"{key}_seconds": seconds(f"--{key.replace('_', '-')}", text) for key, text in times.items()
    }
    body |= {"name": name, "topic": topic, "filter": filter_}
    body |= {"ordered": ordered, "retain_acked": retain_acked}
    if dead_letter_topic is not None or attempts_max is not None:
        body["dead_letter"] = _given(topic=dead_letter_topic, attempts_max=attempts_max)
    if backoff_min is not None or backoff_max is not None:
        body["retry"] = _given(
            backoff_seconds_min=seconds("--backoff-min", backoff_min),
            backoff_seconds_max=seconds("--backoff-max", backoff_max),
        )
    if push is not None or unwrapped or write_metadata:
        body["push"] = _given(endpoint=push, wrapped=not unwrapped, write_metadata=write_metadata)
    made = connect().post("/subscriptions", _given(**body), query={"environment": environment})
    if json_:
        output.document(made)
    else:
        output.line(f"subscription {made['name']} gets the messages of {made['topic']}")


@subscriptions.command
def get(name: Subscription, /, *, environment: Environment = None, json_: AsJson = False) -> None:
    """Show a subscription and what it has to deliver."""
    found = connect().get(f"/subscriptions/{segment(name)}", {"environment": environment})
    if json_:
        output.document(found)
        return
    backlog, dead, retry = found["backlog"], found["dead_letter"], found["retry"]
    output.pairs(
        [
            ("subscription", found["name"]),
            ("environment", found["environment"]),
            ("topic", found["topic"]),
            ("created", local(found["created_at"], now())),
            ("delivery", _way(found)),
            ("filter", found["filter"]),
            ("ordered", "by ordering key" if found["ordered"] else ""),
            ("ack deadline", span(found["ack_deadline_seconds"])),
            ("keeps messages", span(found["retention_seconds"])),
            ("keeps acknowledged", "yes" if found["retain_acked"] else ""),
            ("dead letters", dead and f"to {dead['topic']} after {dead['attempts_max']} attempts"),
            ("again", retry and _backoff(retry)),
            ("not acknowledged", backlog["unacked"]),
            ("of them out", backlog["outstanding"]),
            ("oldest", local(backlog["oldest_at"], now())),
        ]
    )


@subscriptions.command
def delete(
    name: Subscription,
    /,
    *,
    yes: Yes = False,
    environment: Environment = None,
    json_: AsJson = False,
) -> None:
    """Remove a subscription with what it has to deliver."""
    agreed(yes, f"Remove subscription {name} with what it has to deliver, for good?")
    gone = connect().delete(f"/subscriptions/{segment(name)}", {"environment": environment})
    if json_:
        output.document(gone)
    else:
        output.line(f"subscription {gone['name']} is removed")


def _given(**fields: Any) -> dict[str, Any]:
    """Those that are said."""
    return {name: value for name, value in fields.items() if value is not None}


def _way(found: dict[str, Any]) -> str:
    return f"pushed to {found['push']['endpoint']}" if found["push"] else "pulled"


def _backoff(retry: dict[str, int]) -> str:
    least, most = retry["backoff_seconds_min"], retry["backoff_seconds_max"]
    return f"after {span(least)}, doubled up to {span(most)}"
