"""`runyard audit`: who changed what, and proof that the log of it says all that was written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from cyclopts import App, Parameter

from runyard.cli import output
from runyard.cli.client import Query
from runyard.cli.connect import connect
from runyard.cli.files import read_bytes
from runyard.cli.parameters import AsJson, complete_principals
from runyard.cli.surroundings import now
from runyard.cli.tables import table
from runyard.cli.times import local
from runyard.model.codes import exit_status
from runyard.model.errors import ChannelError, Code, Fault, InvalidSpec, PermissionDenied

Document = dict[str, Any]
ANCHOR_FILE_BYTES_MAX = 16 * 1024 * 1024
ANCHORS_MAX = 100  #: of a file that a verification takes: the newest
TIMEOUT_SECONDS = 30.0

audit = App(name="audit", help="Show, verify and anchor the audit log.", group_commands="Commands")


@audit.default
@audit.command(name="list")
def list_entries(
    *,
    by: Annotated[str, Parameter(help="Made by this one.", completer=complete_principals)] = "",
    action: Annotated[str, Parameter(help="Such as token.revoke.")] = "",
    target: Annotated[str, Parameter(help="Such as principal/ann.")] = "",
    environment: Annotated[str, Parameter(help="About this environment.")] = "",
    since: Annotated[str, Parameter(help="Made at or after this instant of RFC 3339.")] = "",
    until: Annotated[str, Parameter(help="Made before this instant of RFC 3339.")] = "",
    limit: Annotated[int, Parameter(help="How many, the newest first.")] = 50,
    json_: AsJson = False,
) -> None:
    """List entries, newest first. With --json also what was before and after, and from where."""
    query: Query = {
        "by": by,
        "action": action,
        "target": target,
        "environment": environment,
        "since": since,
        "until": until,
        "page_size": limit,
    }
    found = connect().get("/audit", query)
    if json_:
        output.document(found)
        return
    at = now()
    table(
        ("number", "at", "by", "action", "target", "environment", "reason"),
        (
            (
                str(one["sequence"]),
                local(one["at"], at),
                one["by"],
                one["action"],
                one["target"],
                one["environment"],
                one["reason"],
            )
            for one in found["entries"]
        ),
        empty="no entries",
    )


@audit.command
def verify(
    *,
    anchor: Annotated[
        list[str] | None, Parameter(help="NUMBER:DIGEST that was kept; may be repeated.")
    ] = None,
    anchor_file: Annotated[
        Path | None, Parameter(help="A file that `runyard audit anchor --file` writes to.")
    ] = None,
    json_: AsJson = False,
) -> int:
    """Say whether the log holds together and says what anchors say; else the first bad entry.

    Exits with 65 when it does not."""
    anchors = [*(anchor or ()), *_kept(anchor_file)]
    found = connect().get("/audit:verify", {"anchor": anchors})
    if json_:
        output.document(found)
    elif found["ok"]:
        held = f", and {found['anchors']} anchors hold" if found["anchors"] else ""
        output.line(f"{found['entries']} entries hold together{held}")
        output.line(f"head {found['head']}")
    else:
        problem = found["problem"]
        output.line(f"entry {problem['sequence']} is wrong: {problem['what']}")
        output.pairs([("expected", problem["expected"]), ("found", problem["found"])])
    if not found["anchors"] and not json_:
        output.note(
            "without an anchor nobody can tell that the end was cut off: `runyard audit anchor`"
        )
    return 0 if found["ok"] else exit_status(Code.FAILED_PRECONDITION)


def _kept(path: Path | None) -> list[str]:
    """The newest anchors in a file: `NUMBER:DIGEST` at the end of each line."""
    if path is None:
        return []
    text = read_bytes(path, ANCHOR_FILE_BYTES_MAX).decode("utf-8", "replace")
    kept = [line.split()[-1] for line in text.splitlines() if line.strip()]
    if not kept:
        fault = Fault("--anchor-file", str(path), "a file with at least one anchor")
        raise InvalidSpec("there is no anchor", faults=(fault,))
    return kept[-ANCHORS_MAX:]


@audit.command
def anchor(
    *,
    file: Annotated[
        Path | None, Parameter(help="Add it to this file; keep that where the log is not.")
    ] = None,
    url: Annotated[str, Parameter(help="Send it there, by POST as JSON.")] = "",
    json_: AsJson = False,
) -> None:
    """Print how far the log goes, to be kept where the log is not."""
    made = connect().post("/audit:anchor", {})
    if file is not None:
        _add(file, f"{made['at']} {made['anchor']}\n")
    if url:
        _send(url, made)
    if json_:
        output.document(made)
    else:
        output.line(made["anchor"])


def _add(path: Path, line: str) -> None:
    try:
        with path.open("a") as file:
            file.write(line)
    except OSError as error:
        raise PermissionDenied(
            f"the anchor cannot be written to {path}: {error.strerror}",
            hint="name another file; an anchor can be made at any time",
        ) from error


def _send(url: str, made: Document) -> None:
    if not url.startswith(("https://", "http://")):
        fault = Fault("--url", repr(url), "a URL such as https://example.com/anchors")
        raise InvalidSpec("--url is not understood", faults=(fault,))
    request = Request(  # noqa: S310  # its scheme was checked
        url,
        json.dumps(made).encode(),
        {"Content-Type": "application/json"},
        method="POST",
    )
    try:
        with urlopen(request, timeout=TIMEOUT_SECONDS):  # noqa: S310
            pass
    except HTTPError as error:
        raise _not_sent(url, f"it answered {error.code}") from error
    except (URLError, OSError, ValueError) as error:
        raise _not_sent(url, str(getattr(error, "reason", error))) from error


def _not_sent(url: str, why: str) -> ChannelError:
    return ChannelError(
        f"the anchor was not taken at {url}: {why}",
        name="url",
        operation="anchor",
        hint="an anchor can be made at any time: try again, or keep it in a file (--file)",
    )
