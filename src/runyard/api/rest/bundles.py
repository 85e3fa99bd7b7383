"""The debug bundle of a final run: all that is known of it, in one file."""

from __future__ import annotations

import asyncio
import io
import platform
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from starlette.responses import Response

from runyard.api.answers import encoded
from runyard.api.documents import (
    attempt_documents,
    entry_document,
    happening_document,
    run_document,
)
from runyard.api.hooks.documents import delivery_document
from runyard.api.letter_shapes import letter_document
from runyard.api.permits import Who, allowed, permit
from runyard.api.rest.reads import RunPath, story
from runyard.api.rest.routes import errors, router
from runyard.api.services import Services, Use
from runyard.database.port import Tx
from runyard.flow.access import Permission
from runyard.flow.bundling import Story, bundle
from runyard.flow.explain import explain
from runyard.gate.delivering import VARIABLE
from runyard.model.dead_letter import DeadLetter
from runyard.model.delivery import Delivery
from runyard.model.errors import ProviderError, Refused
from runyard.model.ids import attempt_key
from runyard.model.run import Run
from runyard.provider.port import LogFindings, LogWanted

bundles = router("runs")
ATTEMPTS_MAX = 10  #: the last ones, whose logs are in a bundle
LINES_MAX = 1_000  #: of the log of each
SUCCESSES_MAX = 50  #: looked at for the last one before, and for how long it takes
Logs = dict[int, list[dict[str, Any]]]
_ZIP = {"application/zip": {"schema": {"type": "string", "format": "binary"}}}


@dataclass(frozen=True, slots=True)
class Around:
    """What is kept about a run in other rows."""

    spec: Mapping[str, Any] | None
    before: Run | None
    spec_before: Mapping[str, Any] | None
    successes: Sequence[Run]
    letter: DeadLetter | None
    delivery: Delivery | None


@bundles.get(
    "/runs/{id}/bundle",
    responses=errors(404, 412) | {200: {"content": _ZIP, "description": "A zip file."}},
    dependencies=allowed(Permission.LOGS_READ),
)
async def download_bundle(services: Use, who: Who, run_id: RunPath) -> Response:
    """A zip file with all that is known of a run that has ended: last log lines, names of
    variables, what changed since the last success, timings, inputs, attempts with their evidence,
    versions. It holds no value of a variable or a secret."""
    run, history, charges = await story(services, who, run_id)
    for permission in (Permission.LOGS_READ, Permission.JOBS_READ):
        await permit(services, who, permission, run.environment)
    if not run.is_final or run.ended_at is None:
        raise Refused(f"{run.id} is {run.state}", hint="a bundle is of a run that has ended")
    around = await _around(services, run)
    logs, unread = await _logs(services, run)
    told = Story(
        run=_plain(run_document(run)),
        attempts=_plain(attempt_documents(run, history, charges)),
        history=_plain([happening_document(fact) for fact in history]),
        sentences=explain(run, history, charges, services.clock()),
        spec=around.spec,
        versions=_versions(services, run, around),
        before=None if around.before is None else _plain(run_document(around.before)),
        spec_before=around.spec_before,
        letter=None if around.letter is None else _plain(letter_document(around.letter, None)),
        delivery=None if around.delivery is None else _plain(delivery_document(around.delivery)),
        logs=logs,
        unread=unread,
        durations=[_seconds(one) for one in around.successes],
    )
    ended_at = run.ended_at
    content = await asyncio.to_thread(lambda: zipped(bundle(told), run.id, ended_at))
    name = f'attachment; filename="{run.id}.zip"'
    return Response(content, media_type="application/zip", headers={"Content-Disposition": name})


def zipped(files: Mapping[str, Any], folder: str, at: datetime) -> bytes:
    """The files in a folder of a zip file; the same for the same files."""
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            if not isinstance(content, str):
                content = orjson.dumps(content, option=orjson.OPT_INDENT_2).decode() + "\n"
            stamp = max(at.timetuple()[:6], (1980, 1, 1, 0, 0, 0))  # as zip files begin
            entry = zipfile.ZipInfo(f"{folder}/{name}", stamp)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content.encode("utf-8", "replace"), zipfile.ZIP_DEFLATED)
    return into.getvalue()


async def _around(services: Services, run: Run) -> Around:
    store, key = services.store, (run.project, run.environment, run.job)
    brought = dict(run.overrides.env).get(VARIABLE, "")

    async def work(tx: Tx) -> Around:
        ids = await store.runs.succeeded_of(tx, key, SUCCESSES_MAX)
        found = [one for one in await store.runs.get(tx, ids) if one.id != run.id]
        earlier = [one for one in found if one.requested_at < run.requested_at]
        before = max(earlier, key=lambda one: one.requested_at, default=None)
        letters = await store.dead_letters.get(tx, [run.id])
        return Around(
            await store.jobs.document(tx, *key, run.revision),
            before,
            None if before is None else await store.jobs.document(tx, *key, before.revision),
            [one for one in found if one.started_at and one.ended_at],
            letters[0] if letters else None,
            await store.deliveries.get(tx, brought) if brought else None,
        )

    return await services.database.read(work)


async def _logs(services: Services, run: Run) -> tuple[Logs, dict[int, str]]:
    """The last lines of the last attempts, by attempt; and of which not all could be read, and why.
    All are asked for at once, so that they take no longer than one."""
    last = range(max(1, run.attempt - ATTEMPTS_MAX + 1), run.attempt + 1)
    newest_first = await asyncio.gather(*(_log(services, run, one) for one in reversed(last)))
    logs: Logs = {}
    unread: dict[int, str] = {}
    for number, found in zip(last, reversed(newest_first), strict=True):
        logs[number] = _plain([entry_document(entry, number) for _, entry in found.found])
        if not found.complete:
            unread[number] = "; ".join(found.unsearched) or "there was no time for it"
    return logs, unread


async def _log(services: Services, run: Run, number: int) -> LogFindings:
    try:
        key = attempt_key(run.id, number)
        return await services.viewer.search([key], LogWanted(), LINES_MAX)
    except ProviderError as error:
        return LogFindings(complete=False, unsearched=(error.message,))


def _versions(services: Services, run: Run, around: Around) -> dict[str, Any]:
    settings, template = services.settings, (around.spec or {}).get("template") or {}
    containers = (template.get("template") or {}).get("containers") or ()
    return {
        "runyard": settings.version,
        "python": platform.python_version(),
        "database": services.database.dialect,
        "executor": settings.executor,
        "revision": run.revision,
        "images": [one.get("image", "") for one in containers],
    }


def _seconds(run: Run) -> float:
    ended, started = run.ended_at or run.requested_at, run.started_at or run.requested_at
    return (ended - started).total_seconds()


def _plain(value: Any) -> Any:
    """A document as its readers get it: instants are texts."""
    return orjson.loads(encoded(value))
