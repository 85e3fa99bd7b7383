"""The revisions of a job, which are never changed, as people look at them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from runyard.database.port import Tx
from runyard.model.instants import from_micros
from runyard.store.documents import loads

NEWEST = 2**63 - 1  #: before it is every revision


@dataclass(frozen=True, slots=True)
class Revision:
    """One version of a job. `document` is `JobSpec.document()`."""

    number: int
    document: Mapping[str, Any]
    applied_at: datetime
    applied_by: str


class Revisions:
    """The revisions' port to the database; `Jobs` writes them."""

    def __init__(self, queries: Mapping[str, str]) -> None:
        self._q = queries

    async def projects(self, tx: Tx, environment: str, name: str) -> list[str]:
        """The projects that have, or had, a job of this name."""
        rows = await tx.fetch(self._q["revision_projects"], (environment, name))
        return [row[0] for row in rows]

    async def page(
        self, tx: Tx, key: tuple[str, str, str], before: int, limit: int
    ) -> list[Revision]:
        """Revisions of a job (project, environment, name) before number `before`, newest first."""
        rows = await tx.fetch(self._q["revisions_page"], (*key, before, limit))
        return [Revision(row[0], loads(row[1]), from_micros(row[2]), row[3]) for row in rows]
