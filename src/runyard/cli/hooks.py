"""`runyard hooks`: webhooks, what was brought to them, and bringing it again."""

from __future__ import annotations

import base64
import sys
from typing import Annotated, Any

from cyclopts import App, Parameter

from runyard.cli import output
from runyard.cli.client import Client, segment
from runyard.cli.connect import connect
from runyard.cli.hook_parameters import Delivery, Hook, complete_hooks
from runyard.cli.parameters import AsJson, InEnvironment
from runyard.cli.surroundings import now
from runyard.cli.tables import table
from runyard.cli.times import local, size
from runyard.model.errors import NotFound, Refused

Document = dict[str, Any]
hooks = App(
    name="hooks",
    help="List webhooks, look at what was brought to them, bring it again.",
    group_commands="Commands",
)


@hooks.default
@hooks.command(name="list")
def list_hooks(*, environment: InEnvironment = None, json_: AsJson = False) -> None:
    """List webhooks, with the addresses that their senders are given."""
    found = connect().get("/hooks", {"environment": environment})
    if json_:
        output.document(found)
        return
    table(
        ("hook", "sender", "secret", "state", "address"),
        (
            (one["hook"], one["sender"], one["secret"] or "", one["state"], one["address"])
            for one in found["hooks"]
        ),
        empty="no webhooks; a job's `triggers` in its manifest may have some",
    )


@hooks.command
def show(hook: Hook, /, *, environment: InEnvironment = None, json_: AsJson = False) -> None:
    """Show a webhook: its address, who may call it, and what it asks for."""
    one = _hook(connect(), hook, environment)
    if json_:
        output.document(one)
        return
    trigger = one["trigger"]
    sender = trigger["webhook"]
    output.pairs(
        (
            ("hook", one["hook"]),
            ("address", one["address"]),
            ("sender", one["sender"]),
            ("secret", one["secret"] or ""),
            ("audience", sender.get("audience", "")),
            ("who", ", ".join([*sender.get("emails", ()), *sender.get("subjects", ())])),
            ("filter", trigger.get("filter", "")),
            ("key", trigger.get("key", "")),
            ("largest content", trigger["maxBody"]),
            *(("argument", _item(item)) for item in trigger.get("map", {}).get("args", ())),
            *(
                (f"variable {name}", _item(item))
                for name, item in trigger.get("map", {}).get("env", {}).items()
            ),
            ("state", _state(one)),
            ("since", local(one["since"], now())),
        )
    )


@hooks.command
def deliveries(
    hook: Annotated[
        str | None, Parameter(name="HOOK", help="Else to any.", completer=complete_hooks)
    ] = None,
    /,
    *,
    fate: Annotated[
        str | None, Parameter(help="Only accepted, filtered, refused, gathered or doubted ones.")
    ] = None,
    limit: Annotated[int, Parameter(help="How many, the latest first.")] = 50,
    environment: Annotated[str | None, Parameter(help="Only in this one.")] = None,
    json_: AsJson = False,
) -> None:
    """List what was brought to webhooks, and what became of it.

    What did not prove to be who it should be is counted by the hour.
    """
    client = connect()
    path = None if hook is None else _hook(client, hook, environment)["hook"]
    found = client.get(
        "/deliveries",
        {"environment": environment, "hook": path, "fate": fate, "page_size": limit},
    )
    if json_:
        output.document(found)
        return
    at = now()
    table(
        ("delivery", "hook", "fate", "times", "last", "runs", "why"),
        (
            (
                one["id"],
                one["hook"],
                one["fate"],
                one["count"],
                local(one["last_at"], at),
                ", ".join(one["runs"]),
                one["reason"],
            )
            for one in found["deliveries"]
        ),
        empty="nothing was brought to a webhook",
    )


@hooks.command
def delivery(
    delivery: Delivery,
    /,
    *,
    content: Annotated[bool, Parameter(help="Print what was sent, and nothing else.")] = False,
    json_: AsJson = False,
) -> None:
    """Show a delivery: where it came from, its headers without secrets, what became of it."""
    client = connect()
    if content:
        sent = client.post(f"/deliveries/{segment(delivery)}:content", {}, again=True)
        if json_:
            output.document(sent)
        else:
            _print(base64.b64decode(sent["content_base64"]))
        return
    one = client.get(f"/deliveries/{segment(delivery)}")
    if json_:
        output.document(one)
        return
    at = now()
    output.pairs(
        (
            ("delivery", one["id"]),
            ("hook", one["hook"]),
            ("fate", one["fate"]),
            ("why", one["reason"]),
            *(("run", run) for run in one["runs"]),
            ("key", one["key"]),
            ("received", local(one["received_at"], at)),
            ("came", f"{one['count']} times, last {local(one['last_at'], at)}"),
            ("from", one["address"]),
            ("content", size(one["body_bytes"])),
            ("revision", one["revision"] or ""),
            ("redelivers", f"{one['redelivers']}, by {one['by']}" if one["redelivers"] else ""),
            *((f"header {name}", value) for name, value in one["headers"].items()),
        )
    )


@hooks.command
def redeliver(
    delivery: Delivery,
    /,
    *,
    as_it_was: Annotated[
        bool,
        Parameter(
            help="To the job and its trigger as they were when it was taken; its runs are of that "
            "revision."
        ),
    ] = False,
    json_: AsJson = False,
) -> None:
    """Bring a delivery again, to its job as it is now; also one that led to runs."""
    asked = {"as_it_was": as_it_was}
    done = connect().post(f"/deliveries/{segment(delivery)}:redeliver", asked)
    if json_:
        output.document(done)
        return
    runs = ", ".join(run["id"] for run in done["runs"])
    why = f": {done['reason']}" if done["reason"] else ""
    output.line(f"{done['delivery']} {done['fate']}{why}{f': {runs}' if runs else ''}")


def _print(content: bytes) -> None:
    """What somebody outside sent; on a terminal nothing of it is an order."""
    text = content.decode("utf-8", "backslashreplace")
    for line in text.splitlines():
        output.line(output.printable(line) if sys.stdout.isatty() else line)


def _hook(client: Client, text: str, environment: str | None) -> Document:
    """The webhook that `text` names: its path, or the end of it that no other has."""
    found: list[Document] = []
    if text.count("/") == 3:
        one: Document = client.get("/hooks/" + "/".join(map(segment, text.split("/"))))
        return one
    for each in client.get("/hooks", {"environment": environment})["hooks"]:
        if f"/{each['hook']}".endswith(f"/{text}") or each["job"] == text:
            found.append(each)
    if not found:
        raise NotFound(f"there is no webhook {text}", hint="list them with `runyard hooks`")
    if len(found) > 1:
        several = ", ".join(each["hook"] for each in found)
        raise Refused(f"{text} are several webhooks: {several}", hint="name one")
    return found[0]


def _item(item: Any) -> str:
    """An argument or a variable of a map, as people read it."""
    if isinstance(item, str):
        return item
    kind = f", {item['type']}" if "type" in item else ""
    optional = ", optional" if item.get("optional") else ""
    default = f", else {item['default']!r}" if "default" in item else ""
    return f"{item.get('prefix', '')}<{item['from']}{kind}{optional}{default}>"


def _state(one: Document) -> str:
    by = f" by {one['said_by']}" if one["said_by"] else ""
    why = f": {one['reason']}" if one["reason"] else ""
    return f"{one['state']}{by}{why}"
