"""Jobs of a manifest, as `validate` and `apply` show them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from runyard.cli import output, report
from runyard.cli.output import printable
from runyard.cli.remote_errors import fault_of
from runyard.cli.session import SESSION
from runyard.cli.tables import table
from runyard.model.errors import Fault
from runyard.model.executors import is_unkept

Document = Mapping[str, Any]


def show(jobs: Iterable[Document], warnings: Iterable[Document]) -> None:
    """Warnings on stderr, then one row for each job."""
    warn(warnings)
    table(
        ("job", "environment", "change", "revision", "regions", "launches max"),
        (
            (
                job["name"],
                job["environment"],
                job["change"] or "valid",
                job["revision"] or "",
                ", ".join(job["regions"]),
                job["launches_max"],
            )
            for job in jobs
        ),
    )


def warn(warnings: Iterable[Document]) -> None:
    """Tells warnings on stderr: those that can be mended first, each with its place."""
    faults = [fault_of(warning) for warning in warnings]
    for fault in faults:
        if not is_unkept(fault):
            output.note(f"warning: {report.shown_fault(fault, SESSION.get().sources)}")
    for text in unkept(filter(is_unkept, faults)):
        output.note(f"note: {text}")


def unkept(faults: Iterable[Fault]) -> Iterator[str]:
    """What the executor does not keep, each thing once with its first place: nearly every job has
    an image, and most of a page about it would hide what matters."""
    places: dict[tuple[str, str], list[Fault]] = {}
    for fault in faults:
        field = re.sub(r"\[\d+\]$", "", fault.path).rpartition(".")[2]
        places.setdefault((field, fault.hint), []).append(fault)
    for (field, instead), found in places.items():
        first, more = found[0], len(found) - 1
        where = f"{first.file}:{first.line}:{first.column}: " if first.line else ""
        times = f" (and {more} more like it)" if more else ""
        yield printable(f"{where}{field} is not kept on this machine: {instead}{times}")
