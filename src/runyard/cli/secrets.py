"""`runyard secrets`: values that jobs read and nobody can read back.

A value comes from a file or from stdin, never from the command line, which other users can see.
"""

from __future__ import annotations

import base64
import getpass
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from runyard.cli import output
from runyard.cli.client import Client, segment
from runyard.cli.connect import connect
from runyard.cli.files import read_bytes
from runyard.cli.parameters import AsJson
from runyard.cli.tables import table
from runyard.model.errors import AlreadyExists, Fault, InvalidSpec, NotFound

#: https://cloud.google.com/secret-manager/quotas: a version holds up to 64 KiB.
VALUE_BYTES_MAX = 64 * 1024

secrets = App(name="secrets", help="Create, renew and list secrets.", group_commands="Commands")
FromFile = Annotated[
    Path | None, Parameter(help="The value is this file's content; else it is read from stdin.")
]
Name = Annotated[str, Parameter(help="The secret's name.")]


@secrets.default
@secrets.command(name="list")
def list_secrets(*, json_: AsJson = False) -> None:
    """List secrets, without their values."""
    found = connect().get("/secrets")
    if json_:
        output.document(found)
        return
    rows = ((secret["name"], str(secret["version"])) for secret in found["secrets"])
    table(("secret", "version"), rows, empty="no secrets; make one with `runyard secrets create`")


@secrets.command
def create(name: Name, /, *, from_file: FromFile = None, json_: AsJson = False) -> None:
    """Make a secret with a first version."""
    client = connect()
    if name in _names(client):
        raise AlreadyExists(
            f"there is a secret {name} already", hint=f"`runyard secrets add-version {name}`"
        )
    _add(client, name, from_file, json_)


@secrets.command
def add_version(name: Name, /, *, from_file: FromFile = None, json_: AsJson = False) -> None:
    """Give a secret a new value; runs that start from now on read it as `latest`."""
    client = connect()
    if name not in _names(client):
        raise NotFound(f"there is no secret {name}", hint=f"`runyard secrets create {name}`")
    _add(client, name, from_file, json_)


def _names(client: Client) -> set[str]:
    return {secret["name"] for secret in client.get("/secrets")["secrets"]}


def _add(client: Client, name: str, from_file: Path | None, as_json: bool) -> None:
    value = _value(name, from_file)
    body = {"value_base64": base64.b64encode(value).decode()}
    made = client.post(f"/secrets/{segment(name)}:addVersion", body)
    if as_json:
        output.document(made)
    else:
        output.line(f"{made['name']} version {made['version']}")


def _value(name: str, from_file: Path | None) -> bytes:
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
    return value
