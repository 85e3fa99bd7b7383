"""`runyard subscriptions pull`, `ack`, `modify-ack-deadline`, `seek`."""

from __future__ import annotations

import base64
from typing import Annotated, Any

from cyclopts import Parameter

from runyard.cli import output
from runyard.cli.client import segment
from runyard.cli.connect import connect
from runyard.cli.event_parameters import AckIds, Environment, Subscription, seconds
from runyard.cli.parameters import AsJson, instant
from runyard.cli.surroundings import now
from runyard.cli.tables import table
from runyard.cli.times import local

SHOWN_MAX = 200  #: characters of data in a table; `--json` has all of them


def pull(
    name: Subscription,
    /,
    *,
    limit: Annotated[int, Parameter(help="At most so many messages, up to 1000.")] = 10,
    wait: Annotated[
        str | None, Parameter(help="How long to wait for a first one, up to 20s; else not at all.")
    ] = None,
    ack_: Annotated[
        bool, Parameter(name="--ack", help="Acknowledge them: nobody gets them again.")
    ] = False,
    environment: Environment = None,
    json_: AsJson = False,
) -> None:
    """Get messages. What is not acknowledged by its ack deadline is delivered again."""
    client, query = connect(), {"environment": environment}
    path = f"/subscriptions/{segment(name)}"
    body = {"max_messages": limit, "wait_seconds": seconds("--wait", wait) or 0}
    found = client.post(f"{path}:pull", body, query=query)
    ids = [one["ack_id"] for one in found["messages"]]
    if json_:
        output.document(found)
    else:
        rows = (
            (
                one["message_id"],
                local(one["published_at"], now()),
                one["attempt"],
                one["ordering_key"],
                " ".join(f"{key}={value}" for key, value in one["attributes"].items()),
                _data(one["data_base64"]),
                *(() if ack_ else (one["ack_id"],)),
            )
            for one in found["messages"]
        )
        heads = ("message", "published", "attempt", "key", "attributes", "data")
        table((*heads, *(() if ack_ else ("ack id",))), rows, empty="no messages")
    if ack_ and ids:  # after they were shown: what nobody saw is delivered again
        output.flush()
        client.post(f"{path}:acknowledge", {"ack_ids": ids}, query=query)


def ack(
    name: Subscription,
    ack_ids: AckIds,
    /,
    *,
    environment: Environment = None,
    json_: AsJson = False,
) -> None:
    """Say that messages are done with."""
    _told(name, "acknowledge", {"ack_ids": ack_ids}, environment, json_)


def modify_ack_deadline(
    name: Subscription,
    ack_ids: AckIds,
    /,
    *,
    ack_deadline: Annotated[
        str, Parameter(help="From now, up to 10m; 0s gives them back to be delivered again.")
    ],
    environment: Environment = None,
    json_: AsJson = False,
) -> None:
    """Have more time for messages, or give them back."""
    lasting = seconds("--ack-deadline", ack_deadline)
    body = {"ack_ids": ack_ids, "ack_deadline_seconds": lasting}
    _told(name, "modifyAckDeadline", body, environment, json_)


def seek(
    name: Subscription,
    /,
    *,
    to: Annotated[
        str, Parameter(help="30m, 2h, 7d ago, or an RFC 3339 instant; 0s: done with all there is.")
    ],
    environment: Environment = None,
    json_: AsJson = False,
) -> None:
    """Deliver again what was published since an instant, as far as it was kept.

    What was published before counts as acknowledged.
    """
    at = instant("--to", to)
    path = f"/subscriptions/{segment(name)}:seek"
    found = connect().post(path, {"time": at}, query={"environment": environment}, again=True)
    if json_:
        output.document(found)
    else:
        output.line(f"{found['name']} goes on from {local(at, now())}")


def _told(
    name: str, verb: str, body: dict[str, Any], environment: str | None, as_json: bool
) -> None:
    path = f"/subscriptions/{segment(name)}:{verb}"
    found = connect().post(path, body, query={"environment": environment}, again=True)
    if as_json:
        output.document(found)
        return
    count, asked = found["count"], len(set(body["ack_ids"]))
    gone = "" if count == asked else f"; {asked - count} were not out any more"
    output.line(f"{count} {'message' if count == 1 else 'messages'}{gone}")


def _data(encoded: str) -> str:
    """Data as a person reads them."""
    content = base64.b64decode(encoded)
    text = content[: 4 * SHOWN_MAX].decode("utf-8", "backslashreplace")
    return text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}…"
