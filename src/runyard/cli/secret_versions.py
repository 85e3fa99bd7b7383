"""`runyard secrets versions`, `access`, `enable`, `disable`, `destroy`, `alias`."""

from __future__ import annotations

import base64
import os
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from runyard.cli import output
from runyard.cli.client import segment
from runyard.cli.connect import connect
from runyard.cli.parameters import AsJson
from runyard.cli.secret_parameters import Environment, Secret, Version, Yes, agreed
from runyard.cli.surroundings import now
from runyard.cli.tables import table
from runyard.cli.times import local
from runyard.model.errors import AlreadyExists, Fault, InvalidSpec, Refused


def versions(name: Secret, /, *, environment: Environment = None, json_: AsJson = False) -> None:
    """List a secret's versions, newest first."""
    found = connect().get(f"/secrets/{segment(name)}/versions", {"environment": environment})
    if json_:
        output.document(found)
        return
    rows = (
        (
            str(one["version"]),
            one["state"],
            local(one["created_at"], now()),
            local(one["destroyed_at"], now()),
        )
        for one in found["versions"]
    )
    empty = f"no versions; `runyard secrets add-version {name}` makes one"
    table(("version", "state", "created", "destroyed"), rows, empty=empty)


def access(
    name: Secret,
    version: Version = "latest",
    /,
    *,
    out: Annotated[
        Path | None, Parameter(help="Write it into this new file, which you alone can read.")
    ] = None,
    show: Annotated[bool, Parameter(help="Print it, on a terminal.")] = False,
    environment: Environment = None,
    json_: AsJson = False,
) -> None:
    """Read a secret's value, into a file or onto a terminal. It is recorded that you did."""
    if out is None and not show:
        raise Refused(
            "where shall the value go?",
            hint="--out FILE writes it into a file; --show prints it on a terminal",
        )
    if out is None and not sys.stdout.isatty():
        raise Refused(
            "a value is printed on a terminal only, and this is none",
            hint="--out FILE writes it into a file that you alone can read",
        )
    if out is not None and out.exists():
        raise AlreadyExists(f"{out} is there already", hint="name another file")
    path = f"/secrets/{segment(name)}/versions/{segment(version)}:access"
    found = connect().post(path, {}, query={"environment": environment})
    value = base64.b64decode(found["value_base64"])
    if out is not None:
        _write(out, value)
        found = {key: found[key] for key in ("name", "version")} | {"file": str(out)}
    if json_:
        output.document(found)
    elif out is not None:
        output.line(f"{out}: {len(value)} bytes")
    else:
        output.line(value.decode("utf-8", "backslashreplace"))


def enable(
    name: Secret,
    version: Version,
    /,
    *,
    environment: Environment = None,
    json_: AsJson = False,
) -> None:
    """Let a version be read again."""
    _change(name, version, "enable", environment, json_)


def disable(
    name: Secret,
    version: Version,
    /,
    *,
    environment: Environment = None,
    json_: AsJson = False,
) -> None:
    """Let nobody read a version until it is enabled again."""
    _change(name, version, "disable", environment, json_)


def destroy(
    name: Secret,
    version: Version,
    /,
    *,
    yes: Yes = False,
    environment: Environment = None,
    json_: AsJson = False,
) -> None:
    """Remove a version's value for good."""
    agreed(yes, f"Destroy version {version} of secret {name}, for good?")
    _change(name, version, "destroy", environment, json_)


def alias(
    name: Secret,
    word: Annotated[str, Parameter(name="ALIAS", help="A letter, then letters, digits, - and _.")],
    version: Annotated[
        int | None, Parameter(name="VERSION", help="The number it names; none: nothing any more.")
    ] = None,
    /,
    *,
    environment: Environment = None,
    json_: AsJson = False,
) -> None:
    """Let a word name a version of a secret: manifests can say it instead of a number."""
    body = {"alias": word, "version": version}
    path = f"/secrets/{segment(name)}:setAlias"
    found = connect().post(path, body, query={"environment": environment})
    if json_:
        output.document(found)
    elif version is None:
        output.line(f"{name} {word} names nothing any more")
    else:
        output.line(f"{name} {word} is version {version}")


def _change(name: str, version: str, verb: str, environment: str | None, as_json: bool) -> None:
    path = f"/secrets/{segment(name)}/versions/{segment(version)}:{verb}"
    found = connect().post(path, {}, query={"environment": environment}, again=True)
    if as_json:
        output.document(found)
    else:
        output.line(f"{found['name']} version {found['version']} is {found['state'].lower()}")


def _write(path: Path, value: bytes) -> None:
    try:
        with open(path, "xb", opener=_private) as file:
            file.write(value)
    except OSError as error:
        fault = Fault("--out", str(path), "a new file that can be written")
        words = f"{path} cannot be written: {error.strerror}"
        raise InvalidSpec(words, hint="choose another place", faults=(fault,)) from None


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
