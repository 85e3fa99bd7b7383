"""Launches attempts: by RunJob of the deployed job where it is what is wanted, else of a clone.

RunJob is not idempotent, and changes no CPU, memory or image. So an attempt carries its key among
its variables, and is looked for by it wherever it may have been launched before; and what the
deployed job is not is run as a clone of it: a job of its own whose name tells its template, made
once and used by every attempt that wants the same (docs/decisions).

What is left of a race: an answer of RunJob was lost, the launch is tried again, and Google lists
the first execution neither before nor right after the second was started. Then both run.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from google.cloud import run_v2

from runyard.model.errors import ProviderError, ProviderRefused, ProviderUnavailable
from runyard.provider.gcp import names
from runyard.provider.gcp.errors import NAME
from runyard.provider.gcp.finding import Finding
from runyard.provider.gcp.templates import clone, content, hidden, is_same, run_request
from runyard.provider.gcp.translate import is_ended, reason_of
from runyard.provider.gcp.turns import Turns
from runyard.provider.gcp.wire import RunApi
from runyard.provider.port import LaunchOrder

LOGGER = logging.getLogger("runyard.provider.gcp")

TRIES_MAX = 3  #: of one launch while its job is changed under our hands
IDLE = timedelta(hours=1)  #: so long is a clone left alone that nobody has used yet
#: What Google says when a job is not what it was when it was looked at.
_CHANGED = frozenset({"ABORTED", "FAILED_PRECONDITION", "NOT_FOUND"})


class Launching:
    """Starts executions, and makes and removes clones for them."""

    def __init__(self, api: RunApi, finding: Finding, clock: Callable[[], datetime]) -> None:
        self._api = api
        self._finding = finding
        self._clock = clock
        self._turns = Turns()

    async def launch(self, order: LaunchOrder, google_project: str) -> run_v2.Execution:
        """The execution of an attempt, started unless it is there already.

        Raises ProviderError; ProviderUnavailable also while its clone is being made.
        """
        if order.untried:
            return await self._start(order, google_project)
        before = await self._before(order, google_project)
        if before is not None:
            return before
        started = await self._start(order, google_project)
        return await self._before(order, google_project) or started

    async def _start(self, order: LaunchOrder, google_project: str) -> run_v2.Execution:
        tried: tuple[str, str] = ("", "")
        error: ProviderError | None = None
        for _ in range(TRIES_MAX):
            name, etag = await self._runnable(order, google_project)
            if error is not None and (name, etag) == tried:
                raise error  # it was not the job that changed
            tried = (name, etag)
            try:
                request = run_request(order, name, etag)
                return await self._api.run_job(request, order.key, hidden(order))
            except ProviderError as failed:
                if failed.reason not in _CHANGED:
                    raise
                error = failed
        raise ProviderUnavailable(
            f"job {order.job} is being changed all the time", name=NAME, key=order.key
        )

    async def _before(self, order: LaunchOrder, google_project: str) -> run_v2.Execution | None:
        """The execution of an earlier try; younger ones are stopped."""
        parent = names.job(google_project, order.region, order.job)
        twin = names.beside(parent, names.clone(order.job, content(order.template)))
        found = await self._finding.of_key([parent, twin], order.key)
        for other in found[1:]:
            if not is_ended(other):
                LOGGER.warning("%s was launched twice: %s is stopped", order.key, other.name)
                await self._api.cancel_execution(other.name)
        return found[0] if found else None

    async def _runnable(self, order: LaunchOrder, google_project: str) -> tuple[str, str]:
        """The job to run, by its full name, and its etag: the deployed one, or a clone."""
        name = names.job(google_project, order.region, order.job)
        job = await self._api.get_job(name)
        if job is None:
            raise ProviderRefused(
                f"there is no job {order.job} in region {order.region} of the Google project "
                f"{google_project}",
                name=NAME,
                key=order.key,
                reason="NOT_FOUND",
                hint="apply it again: somebody removed it",
            )
        if is_same(order.template, job.template, google_project):
            return name, job.etag
        async with self._turns.of(names.short(name)):
            return await self._clone(order, google_project, job)

    async def _clone(
        self, order: LaunchOrder, google_project: str, job: run_v2.Job
    ) -> tuple[str, str]:
        short = names.clone(order.job, content(order.template))
        parent = names.location(google_project, order.region)
        name = f"{parent}/jobs/{short}"
        found = await self._api.get_job(name)
        if found is None:
            await self._make(parent, short, clone(order, google_project, dict(job.labels)))
            found = await self._api.get_job(name)
        if found is None or found.terminal_condition.state not in _DECIDED:
            raise ProviderUnavailable(f"Google makes the clone {short}", name=NAME, key=order.key)
        if not is_same(order.template, found.template, google_project):
            raise ProviderRefused(
                f"the job {short} is no clone of {order.job} as it was made",
                name=NAME,
                key=order.key,
                hint="remove it: somebody changed it",
            )
        if found.terminal_condition.state is _FAILED:
            condition = found.terminal_condition
            raise ProviderRefused(
                f"the clone {short} does not become ready: {condition.message}",
                name=NAME,
                key=order.key,
                reason=reason_of(condition),
            )
        return name, found.etag

    async def _make(self, parent: str, short: str, job: run_v2.Job) -> None:
        try:
            await self._api.create_job(parent, short, job)
        except ProviderRefused as error:
            if error.reason != "ALREADY_EXISTS":
                raise

    # -- removing --------------------------------------------------------------------------------
    async def remove_idle(self, handle: str, job: str) -> bool:
        """Remove the clone whose execution `handle` was, when it has no other and is not new; True
        when it was removed. Who is about to run it finds it gone, and makes it again."""
        parts = names.execution(handle)
        if parts is None or parts.job == job:
            return False
        async with self._turns.of(job):
            others = await self._api.executions(parts.parent, 1)
            if any(one.name != handle for one in others):
                return False
            found = await self._api.get_job(parts.parent)
            if found is None or found.labels.get(names.CLONE_OF) != job:
                return False
            if self._clock() - found.create_time < IDLE:
                return False
            return await self._api.delete_job(parts.parent)


_FAILED = run_v2.Condition.State.CONDITION_FAILED
_DECIDED = frozenset({_FAILED, run_v2.Condition.State.CONDITION_SUCCEEDED})
