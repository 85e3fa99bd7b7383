"""`runyard tokens`: what somebody gets in by. A token is printed once, when it is made."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from runyard.cli import output
from runyard.cli.client import segment
from runyard.cli.connect import connect
from runyard.cli.parameters import AsJson, complete_principals, complete_tokens, span
from runyard.cli.surroundings import now
from runyard.cli.tables import table
from runyard.cli.times import local
from runyard.model.errors import AlreadyExists, PermissionDenied

Document = dict[str, Any]
NEVER = "never"
tokens = App(name="tokens", help="Make, rotate and revoke tokens.", group_commands="Commands")
TokenId = Annotated[str, Parameter(help="A token's id.", completer=complete_tokens)]
Out = Annotated[
    Path | None, Parameter(help="Write the token into this new file, for you alone to read.")
]


@tokens.default
@tokens.command(name="list")
def list_tokens(
    *,
    principal: Annotated[
        str, Parameter(name="--for", help="Only of this one.", completer=complete_principals)
    ] = "",
    json_: AsJson = False,
) -> None:
    """List your tokens, and those of everybody you are an admin of."""
    found = connect().get("/tokens", {"principal": principal})
    if json_:
        output.document(found)
        return
    at = now()
    table(
        ("token", "of", "label", "ceiling", "environments", "state", "ends", "last used"),
        (
            (
                one["id"],
                one["principal"],
                one["label"],
                one["ceiling"],
                ", ".join(one["environments"]),
                _state(one),
                local(one["expires_at"], at),
                local(one["last_used_at"], at),
            )
            for one in found["tokens"]
        ),
        empty="no tokens; make one with `runyard tokens create`",
    )


def _state(one: Document) -> str:
    if one["is_good"]:
        return "good"
    return "revoked" if one["revoked_at"] else "expired"


@tokens.command
def create(
    *,
    principal: Annotated[
        str,
        Parameter(name="--for", help="Whose; else your own.", completer=complete_principals),
    ] = "",
    label: Annotated[str, Parameter(help="What it is for, or where it lies.")] = "",
    ceiling: Annotated[
        str, Parameter(help="It may no more than viewer, operator or admin.")
    ] = "admin",
    environment: Annotated[
        list[str] | None, Parameter(help="Only there; may be repeated. Else everywhere.")
    ] = None,
    expires: Annotated[str, Parameter(help="When it ends: 12h, 90d, never; else in 90d.")] = "",
    out: Out = None,
    json_: AsJson = False,
) -> None:
    """Make a token. It is printed this once, on stdout."""
    body: Document = {"label": label, "ceiling": ceiling, "environments": environment or ["*"]}
    if principal:
        body["principal"] = principal
    if expires == NEVER:
        body["never_expires"] = True
    elif expires:
        body["expires_in"] = _seconds("--expires", expires)
    _refuse_taken(out)
    _show(connect().post("/tokens", body), out, json_)


@tokens.command
def rotate(
    token: TokenId,
    /,
    *,
    overlap: Annotated[str, Parameter(help="How long the old one goes on.")] = "24h",
    out: Out = None,
    json_: AsJson = False,
) -> None:
    """Make a token in the place of another one, which goes on for a while."""
    body = {"overlap": _seconds("--overlap", overlap)}
    _refuse_taken(out)
    _show(connect().post(f"/tokens/{segment(token)}:rotate", body), out, json_)


@tokens.command
def revoke(
    token: TokenId,
    /,
    *,
    reason: Annotated[str, Parameter(help="Why, for the audit log.")] = "",
    json_: AsJson = False,
) -> None:
    """End a token now, everywhere."""
    done = connect().post(f"/tokens/{segment(token)}:revoke", {"reason": reason}, again=True)
    if json_:
        output.document(done)
    else:
        output.line(f"{done['id']} of {output.printable(done['principal'])}: {_state(done)}")


def _seconds(option: str, text: str) -> str:
    return f"{round(span(option, text).total_seconds())}s"


def _refuse_taken(out: Path | None) -> None:
    if out is not None and out.exists():
        raise AlreadyExists(f"{out} is there already", hint="name a new file; nothing was made")


def _show(made: Document, out: Path | None, as_json: bool) -> None:
    if out is not None:
        _write(out, made.pop("token"))
    if as_json:
        output.document(made)
        return
    whose = output.printable(made["principal"])
    ends = f"ends {local(made['expires_at'], now())}" if made["expires_at"] else "never ends"
    if out is None:
        output.line(made["token"])
        output.note(f"{made['id']} of {whose}, {ends}; it is not shown again")
    else:
        output.line(f"{made['id']} of {whose}, {ends}, is in {out}")


def _write(path: Path, token: str) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(token + "\n")
    except OSError as error:
        raise PermissionDenied(
            f"{path} cannot be written: {error.strerror}",
            hint="the token was made all the same: revoke it (`runyard tokens list`), make another",
        ) from error
