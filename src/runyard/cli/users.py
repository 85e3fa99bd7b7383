"""`runyard users`: who is known here, and what they may."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import App, Parameter

from runyard.cli import output
from runyard.cli.client import segment
from runyard.cli.connect import connect
from runyard.cli.parameters import AsJson, complete_principals
from runyard.cli.surroundings import now
from runyard.cli.tables import table
from runyard.cli.times import local
from runyard.model.errors import Fault, InvalidSpec
from runyard.model.principal import ANYWHERE, Role
from runyard.model.validation import did_you_mean, one_of

Document = dict[str, Any]
users = App(
    name="users", help="Say who is known here, and give and take roles.", group_commands="Commands"
)
Name = Annotated[str, Parameter(help="A principal's name.", completer=complete_principals)]
RoleText = Annotated[
    str, Parameter(help="viewer, operator or admin; with @ENVIRONMENT only there.")
]
Why = Annotated[str, Parameter(help="Why, for the audit log.")]


@users.default
@users.command(name="list")
def list_users(*, json_: AsJson = False) -> None:
    """List everybody who is known here."""
    found = connect().get("/principals")
    if json_:
        output.document(found)
        return
    at = now()
    table(
        ("name", "kind", "roles", "disabled", "created", "by"),
        (
            (
                one["name"],
                one["kind"],
                _roles(one["grants"]),
                "yes" if one["disabled"] else "",
                local(one["created_at"], at),
                one["created_by"],
            )
            for one in found["principals"]
        ),
    )


@users.command
def create(
    name: Annotated[str, Parameter(help="Such as ann, ann@example.com or ci-deploy.")],
    /,
    *roles: RoleText,
    machine: Annotated[bool, Parameter(help="It is no person.")] = False,
    note: Annotated[str, Parameter(help="A line for those who come after you.")] = "",
    json_: AsJson = False,
) -> None:
    """Make somebody known. Give them a token with `runyard tokens create --for NAME`."""
    body = {
        "name": name,
        "kind": "machine" if machine else "user",
        "grants": [grant_of(text) for text in roles],
        "note": note,
    }
    _show(connect().post("/principals", body), json_)


@users.command
def grant(name: Name, /, *roles: RoleText, json_: AsJson = False) -> None:
    """Give roles. In each environment somebody has one, and the one for all besides."""
    grants = [grant_of(text) for text in roles]
    if not grants:
        raise InvalidSpec("no role was named", faults=(_fault(""),))
    client, done = connect(), None
    for one in grants:
        done = client.post(f"/principals/{segment(name)}:grant", one)
    _show(done, json_)


@users.command
def ungrant(
    name: Name,
    /,
    environment: Annotated[str, Parameter(help="Where; * is the role that counts in all.")],
    *,
    json_: AsJson = False,
) -> None:
    """Take the role in an environment away."""
    body = {"environment": environment}
    _show(connect().post(f"/principals/{segment(name)}:ungrant", body), json_)


@users.command
def disable(name: Name, /, *, reason: Why = "", json_: AsJson = False) -> None:
    """Refuse somebody from now on, with all their tokens."""
    _show(connect().post(f"/principals/{segment(name)}:disable", {"reason": reason}), json_)


@users.command
def enable(name: Name, /, *, reason: Why = "", json_: AsJson = False) -> None:
    """Let somebody in again."""
    _show(connect().post(f"/principals/{segment(name)}:enable", {"reason": reason}), json_)


@users.command
def whoami(*, json_: AsJson = False) -> None:
    """Say who you are to the server, and what your token leaves of what you may."""
    me = connect().get("/me")
    if json_:
        output.document(me)
        return
    output.pairs(
        [
            ("you are", me["name"]),
            ("roles", _roles(me["grants"])),
            ("token", me["token_id"] or "not one of `runyard tokens`"),
            ("token's ceiling", me["ceiling"]),
            ("token's environments", ", ".join(me["environments"])),
            ("token ends", local(me["expires_at"], now())),
        ]
    )


def grant_of(text: str) -> Document:
    """`operator@prod` as the API takes it; without a place, everywhere. Raises InvalidSpec."""
    role, _, environment = text.partition("@")
    if role not in list(Role):
        raise InvalidSpec("a role is not understood", faults=(_fault(text),))
    return {"role": role, "environment": environment or ANYWHERE}


def _fault(text: str) -> Fault:
    words = [role.value for role in Role]
    hint = did_you_mean(text.partition("@")[0], words) or "for instance operator@prod"
    return Fault("ROLE", repr(text) if text else "", f"{one_of(words)}, or ROLE@ENVIRONMENT", hint)


def _roles(grants: list[Document]) -> str:
    return ", ".join(
        one["role"] if one["environment"] == ANYWHERE else f"{one['role']}@{one['environment']}"
        for one in grants
    )


def _show(one: Document | None, as_json: bool) -> None:
    if as_json:
        output.document(one)
    elif one is not None:
        state = "disabled" if one["disabled"] else _roles(one["grants"]) or "no role"
        output.line(f"{output.printable(one['name'])}: {state}")
