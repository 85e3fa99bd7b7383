"""What is looked at before something is done about an incident, and the documents of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from runyard.api.documents_operations import operation_document
from runyard.api.services import Services
from runyard.api.shapes_alerts import incident_document
from runyard.database.port import Tx
from runyard.flow.remedies import Case
from runyard.gate.remedying import Done
from runyard.model.dead_letter import LETTERS_MAX, DeadLetter, LetterState
from runyard.model.ids import RunId
from runyard.model.incident import Incident, Joined
from runyard.model.operation import Operation
from runyard.model.run import Run, State
from runyard.store import run_list
from runyard.store.dead_letters import LetterQuestion
from runyard.store.jobs import JobRow
from runyard.store.revisions import NEWEST
from runyard.store.run_list import RunQuestion

RUNS_MAX = 50  #: the newest dead runs, and revisions, of a job that suggestions are made from
SUCCESSES_MAX = 5  #: the newest successes that may have something to offer


@dataclass(frozen=True, slots=True)
class Ground:
    """What is known of an incident's job. `row` None: it is not in force, or there is none."""

    row: JobRow | None
    case: Case


async def ground_of(services: Services, incident: Incident) -> Ground:
    """All that is looked at, as of one instant."""

    async def work(tx: Tx) -> Ground:
        return await _ground(services, tx, incident)

    return await services.database.read(work)


async def _ground(services: Services, tx: Tx, incident: Incident) -> Ground:
    store, key = services.store, (incident.project, incident.environment, incident.job)
    rows = await store.jobs.named(tx, incident.environment, incident.job)
    row = next((one for one in rows if one.project == incident.project), None)
    if row is None:
        return Ground(None, Case(incident.job))
    question = RunQuestion((State.DEAD,), incident.job, environments=(incident.environment,))
    dead = await run_list.page(tx, store.runs, question, None, RUNS_MAX)
    succeeded = await store.runs.succeeded_of(tx, key, SUCCESSES_MAX)
    good = _newest(await store.runs.get(tx, succeeded))
    letters = await _letters(services, tx, incident)
    kept = await store.revisions.page(tx, key, NEWEST, RUNS_MAX)
    triggers = await store.triggers.of_jobs(tx, [(incident.environment, incident.job)])
    case = Case(
        job=incident.job,
        revision=row.revision,
        document=row.document,
        revisions=frozenset(one.number for one in kept),
        dead=_newest([run for run in dead if run.project == incident.project]),
        letters=letters,
        succeeded=good[0] if good else None,
        worked=next((run for run in good if run.scaled.memory_bytes is not None), None),
        triggers=[one for one in triggers if one.project == incident.project],
    )
    return Ground(row, case)


async def _letters(services: Services, tx: Tx, incident: Incident) -> list[DeadLetter]:
    """The open dead letters of what died while it lasted, or made it: those that died first come
    first."""
    port = services.store.dead_letters
    asked = LetterQuestion(
        incident.environment,
        incident.project,
        incident.job,
        state=LetterState.OPEN,
        since=incident.opened_at,
        until=incident.resolved_at,
    )
    found = await port.page(tx, asked, None, LETTERS_MAX)
    facts = [one.fact for one in await services.store.alerts.history(tx, incident.id)]
    runs = [RunId(one.run) for one in facts if isinstance(one, Joined) and one.run]
    key = (incident.project, incident.environment, incident.job)
    named = [
        one for one in await port.get(tx, runs) if one.state is LetterState.OPEN and one.key == key
    ]
    by_run = {one.run: one for one in (*named, *found)}
    return sorted(by_run.values(), key=lambda one: (one.died_at, one.run))[:LETTERS_MAX]


def _newest(runs: Sequence[Run]) -> list[Run]:
    """The last to end first."""
    return sorted(runs, key=lambda run: run.ended_at or run.requested_at, reverse=True)


def done_document(done: Done[Any], operation: Operation | None) -> dict[str, Any]:
    """REMEDY of the API."""
    return {
        "incident": incident_document(done.incident),
        "remedy": None if done.fact is None else asdict(done.fact),
        "operation": None if operation is None else operation_document(operation),
        "seen": done.answer is None and done.fact is not None,
    }
