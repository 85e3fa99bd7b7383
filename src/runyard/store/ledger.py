"""The ledger: one charge for every attempt, written once and never changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from runyard.database.port import Row, Tx
from runyard.model.cost import Charge, Tier
from runyard.model.ids import AttemptKey, RunId
from runyard.model.instants import from_micros, to_micros
from runyard.model.outcome import Usage
from runyard.model.run import Run
from runyard.store.documents import VERSION, dumps, loads


class Ledger:
    """The charges' port to the database."""

    def __init__(self, queries: Mapping[str, str]) -> None:
        self._q = queries

    async def insert(self, tx: Tx, charges: Sequence[tuple[Run, Charge]]) -> None:
        """Add charges. A second one for an attempt is refused by the primary key."""
        rows = [
            (
                charge.key,
                run.id,
                run.project,
                run.environment,
                run.job,
                charge.region,
                to_micros(charge.at),
                charge.vcpu_nano_dollars,
                charge.memory_nano_dollars,
                _body(charge),
            )
            for run, charge in charges
        ]
        await tx.execute_many(self._q["charge_insert"], rows)

    async def of_run(self, tx: Tx, run: RunId) -> list[Charge]:
        """The charges of a run, oldest first."""
        return [_charge(row) for row in await tx.fetch(self._q["charges_of_run"], (run,))]

    async def billed_of_runs(self, tx: Tx, runs: Sequence[RunId]) -> dict[RunId, int]:
        """What each of these runs was billed for, over all its attempts, in milliseconds; those
        without a charge are left out."""
        found: dict[RunId, int] = {}
        for run, body in await tx.fetch(self._q["charges_of_runs"], (dumps(list(runs)),)):
            billed = loads(body)["usage"]["billed_milliseconds"]
            found[RunId(run)] = found.get(RunId(run), 0) + billed
        return found

    async def spent(self, tx: Tx, key: tuple[str, str, str], since: datetime) -> int:
        """What a job (project, environment, name) was charged since an instant, in nano-dollars."""
        project, environment, job = key
        params = (environment, job, project, to_micros(since))
        return int((await tx.fetch(self._q["charges_sum_of_job"], params))[0][0])


def _body(charge: Charge) -> str:
    return dumps(
        {
            "v": VERSION,
            "tier": charge.tier,
            "tier_assumed": charge.tier_assumed,
            "price_table": charge.price_table,
            "usage": charge.usage,
        }
    )


def _charge(row: Row) -> Charge:
    body = loads(row[5])
    return Charge(
        key=AttemptKey(row[0]),
        at=from_micros(row[1]),
        region=row[2],
        tier=Tier(body["tier"]),
        tier_assumed=body["tier_assumed"],
        price_table=date.fromisoformat(body["price_table"]),
        vcpu_nano_dollars=row[3],
        memory_nano_dollars=row[4],
        usage=Usage(**body["usage"]),
    )
