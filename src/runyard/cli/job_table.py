"""Jobs of a manifest, as `validate` and `apply` show them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from runyard.cli import output, report
from runyard.cli.remote_errors import fault_of
from runyard.cli.session import SESSION
from runyard.cli.tables import table

Document = Mapping[str, Any]


def show(jobs: Iterable[Document], warnings: Iterable[Document]) -> None:
    """Warnings on stderr, then one row for each job."""
    for warning in warnings:
        output.note(f"warning: {report.shown_fault(fault_of(warning), SESSION.get().sources)}")
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
