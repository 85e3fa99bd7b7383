"""`runyard secrets grant`, `revoke`, `accesses`, `rotate-key`: who may read, who did, and by which
key all of it is sealed."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from runyard.cli import output
from runyard.cli.client import segment
from runyard.cli.connect import connect
from runyard.cli.parameters import AsJson
from runyard.cli.secret_parameters import Environment, Secret, complete_secrets
from runyard.cli.surroundings import now
from runyard.cli.tables import table
from runyard.cli.times import local

Member = Annotated[
    str, Parameter(name="MEMBER", help="user:NAME, group:NAME or serviceAccount:EMAIL.")
]


def grant(
    name: Secret,
    member: Member,
    /,
    *,
    environment: Environment = None,
    json_: AsJson = False,
) -> None:
    """Give somebody the right to read a secret.

    A job's own service account gets it by `runyard apply`.
    """
    _change("grant", name, member, environment, json_)


def revoke(
    name: Secret,
    member: Member,
    /,
    *,
    environment: Environment = None,
    json_: AsJson = False,
) -> None:
    """Take the right to read a secret from somebody."""
    _change("revoke", name, member, environment, json_)


def accesses(
    name: Annotated[
        str | None, Parameter(name="NAME", help="Else of every secret.", completer=complete_secrets)
    ] = None,
    /,
    *,
    limit: Annotated[int, Parameter(help="How many, newest first.")] = 50,
    environment: Environment = None,
    json_: AsJson = False,
) -> None:
    """Show who read which version of a secret, when and for which run, or was refused."""
    query = {"environment": environment, "name": name, "page_size": limit}
    found = connect().get("/secrets:accesses", query)
    if json_:
        output.document(found)
        return
    rows = (
        (
            one["secret"],
            _version(one["version"], one["found"]),
            one["outcome"],
            local(one["at"], now()),
            one["member"],
            one["attempt"] or one["execution"],
        )
        for one in found["accesses"]
    )
    table(("secret", "version", "outcome", "at", "by", "for"), rows, empty="nobody read a secret")


def rotate_key(*, json_: AsJson = False) -> None:
    """Let a new key seal all secrets, while they are in use.

    The old key is kept in the state folder's `cloud/retired-keys`, as it opens backups that were
    made before: take it to where those are.
    """
    client = connect()
    client.timeout_seconds = 600.0
    done = client.post("/secrets:rotateKey", {})
    if json_:
        output.document(done)
        return
    output.line(f"key {done['key']} seals {done['sealed']} versions; {done['retired']} is retired")
    if done["left"]:
        output.note(f"{done['left']} versions can be opened by no key that is here")


def _change(verb: str, name: str, member: str, environment: str | None, as_json: bool) -> None:
    path = f"/secrets/{segment(name)}:{verb}"
    found = connect().post(path, {"member": member}, query={"environment": environment}, again=True)
    if as_json:
        output.document(found)
        return
    output.line(f"may read {name}: {', '.join(found['readers']) or 'nobody but administrators'}")


def _version(asked: str, found: int) -> str:
    return asked if asked == str(found) or not found else f"{asked} = {found}"
