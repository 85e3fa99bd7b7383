"""Which pages are generated, and by what. A new one is a line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from tools.docs.alerting import alerting_page
from tools.docs.commands import commands_page
from tools.docs.errors import errors_page
from tools.docs.flow_eight import recovery_page
from tools.docs.lifecycle import lifecycle_page, states_page
from tools.docs.operations import operations_page
from tools.docs.prices import prices_page
from tools.docs.runner import runner_page
from tools.docs.settings import settings_page

FOLDER = Path(__file__).resolve().parents[2] / "docs"

PAGES: Mapping[str, Callable[[], str]] = {
    "flows/02-job-lifecycle.md": lifecycle_page,
    "flows/05-job-management-operations.md": operations_page,
    "flows/06-monitoring-and-alerting.md": alerting_page,
    "flows/08-error-handling-and-recovery.md": recovery_page,
    "reference/cli.md": commands_page,
    "reference/config.md": settings_page,
    "reference/errors.md": errors_page,
    "reference/prices.md": prices_page,
    "reference/runner.md": runner_page,
    "reference/states.md": states_page,
}


def outdated() -> list[str]:
    """The pages whose file is not what would be written now."""
    return [name for name, make in PAGES.items() if _on_disk(name) != make()]


def _on_disk(name: str) -> str:
    path = FOLDER / name
    return path.read_text() if path.exists() else ""
