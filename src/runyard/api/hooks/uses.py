"""What webhooks need of other things: who deletes a secret is told whose calls it proves."""

from __future__ import annotations

from runyard.api.services import Services
from runyard.database.port import Tx
from runyard.model.errors import Refused
from runyard.model.run import TriggerKind
from runyard.model.trigger.row import Trigger


async def refuse_while_it_proves(services: Services, environment: str, secret: str) -> None:
    """Raises Refused while webhooks of an environment believe who has this secret."""

    async def work(tx: Tx) -> list[Trigger]:
        return await services.store.triggers.of_kind(tx, environment, TriggerKind.WEBHOOK)

    rows = await services.database.read(work)
    named = [row.path for row in rows if row.document["webhook"].get("secret") == secret]
    if named:
        raise Refused(
            f"secret {secret} proves who calls webhooks: {', '.join(named)}",
            hint="let them have another secret; or delete it with --force",
        )
