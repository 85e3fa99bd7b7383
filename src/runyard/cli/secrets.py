"""`runyard secrets`: values that jobs read, by names and versions.

A value comes from a file or from stdin, never from the command line, which other users can see;
and it goes to a file or a terminal, when it is asked for.
"""

from __future__ import annotations

import base64
import getpass
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from runyard.cli import output
from runyard.cli.client import segment
from runyard.cli.connect import connect
from runyard.cli.files import read_bytes
from runyard.cli.parameters import AsJson, Labels, assignments
from runyard.cli.secret_parameters import Environment, Secret, Yes, agreed
from runyard.cli.surroundings import now
from runyard.cli.tables import table
from runyard.cli.times import local
from runyard.model.errors import Fault, InvalidSpec
from runyard.model.secret import OWNER_JOB, OWNER_PROJECT, VALUE_BYTES_MAX

secrets = App(
    name="secrets",
    help="Create, renew, list and read secrets; say who may read them.",
    group_commands="Commands",
)
FromFile = Annotated[
    Path | None, Parameter(help="The value is this file's content; else it is read from stdin.")
]
NewName = Annotated[
    str, Parameter(name="NAME", help="1 to 255 letters, digits, hyphens and underscores.")
]
_LATER = ("secret_versions", "secret_readers")
for _module, _names in zip(
    _LATER,
    (
        ("versions", "access", "enable", "disable", "destroy", "alias"),
        ("grant", "revoke", "accesses", "rotate_key"),
    ),
    strict=True,
):
    for _name in _names:
        secrets.command(f"runyard.cli.{_module}:{_name}", name=_name.replace("_", "-"))


@secrets.default
@secrets.command(name="list")
def list_secrets(*, environment: Environment = None, json_: AsJson = False) -> None:
    """List secrets, without their values."""
    found = connect().get("/secrets", {"environment": environment})
    if json_:
        output.document(found)
        return
    rows = ((secret["name"], str(secret["version"])) for secret in found["secrets"])
    table(("secret", "version"), rows, empty="no secrets; make one with `runyard secrets create`")


@secrets.command
def create(
    name: NewName,
    /,
    *,
    from_file: FromFile = None,
    labels: Labels = None,
    owner: Annotated[
        str | None,
        Parameter(help="PROJECT/JOB of the one job it is for: deleting that job disables it."),
    ] = None,
    environment: Environment = None,
    json_: AsJson = False,
) -> None:
    """Make a secret with a first version."""
    body = {
        "name": name,
        "value_base64": _value(name, from_file),
        "labels": assignments("--label", labels) | _owner(owner),
    }
    made = connect().post("/secrets", body, query={"environment": environment})
    _added(made, json_)


@secrets.command
def add_version(
    name: Secret,
    /,
    *,
    from_file: FromFile = None,
    environment: Environment = None,
    json_: AsJson = False,
) -> None:
    """Give a secret a new value; runs that start from now on read it as `latest`."""
    body = {"value_base64": _value(name, from_file)}
    path = f"/secrets/{segment(name)}:addVersion"
    _added(connect().post(path, body, query={"environment": environment}), json_)


@secrets.command
def get(name: Secret, /, *, environment: Environment = None, json_: AsJson = False) -> None:
    """Show a secret and who may read it, without its values."""
    client, query = connect(), {"environment": environment}
    found = client.get(f"/secrets/{segment(name)}", query)
    readers = client.get(f"/secrets/{segment(name)}/readers", query)["readers"]
    if json_:
        output.document(found | {"readers": readers})
        return
    aliases = (f"{alias} = {number}" for alias, number in found["aliases"].items())
    marks = (f"{key}={value}" for key, value in found["labels"].items())
    output.pairs(
        [
            ("secret", found["name"]),
            ("environment", found["environment"]),
            ("created", local(found["created_at"], now())),
            ("newest version", found["version"]),
            ("aliases", ", ".join(aliases)),
            ("labels", ", ".join(marks)),
            *(("may read it" if not number else "", one) for number, one in enumerate(readers)),
        ]
    )


@secrets.command
def delete(
    name: Secret,
    /,
    *,
    force: Annotated[bool, Parameter(help="Also when jobs read it, or webhooks need it.")] = False,
    yes: Yes = False,
    environment: Environment = None,
    json_: AsJson = False,
) -> None:
    """Remove a secret with all its versions, for good."""
    agreed(yes, f"Remove secret {name} with all its versions, for good?")
    query = {"environment": environment, "force": "true" if force else None}
    gone = connect().delete(f"/secrets/{segment(name)}", query)
    if json_:
        output.document(gone)
    else:
        output.line(f"secret {gone['name']} is removed")


def _added(made: dict[str, object], as_json: bool) -> None:
    if as_json:
        output.document(made)
    else:
        output.line(f"{made['name']} version {made['version']}")


def _owner(owner: str | None) -> dict[str, str]:
    if owner is None:
        return {}
    project, slash, job = owner.partition("/")
    if not (project and slash and job):
        fault = Fault("--owner", repr(owner), "PROJECT/JOB", "for instance --owner shop/report")
        raise InvalidSpec("--owner is not understood", faults=(fault,))
    return {OWNER_PROJECT: project, OWNER_JOB: job}


def _value(name: str, from_file: Path | None) -> str:
    """The value that is given, in base64."""
    if from_file is not None:
        value = read_bytes(from_file, VALUE_BYTES_MAX)
    elif sys.stdin.isatty():
        value = getpass.getpass(f"Value of {name} (not shown): ").encode()
    else:
        value = sys.stdin.buffer.read(VALUE_BYTES_MAX + 1)
    if not 0 < len(value) <= VALUE_BYTES_MAX:
        fault = Fault("value", f"{len(value)} bytes", f"1 to {VALUE_BYTES_MAX} bytes")
        raise InvalidSpec("a secret's value does not fit", faults=(fault,))
    if value.endswith(b"\n"):
        output.note("the value ends with a newline, which is kept (printf writes none)")
    return base64.b64encode(value).decode()
