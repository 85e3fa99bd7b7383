"""The deliveries that one batch of decisions works on."""

from __future__ import annotations

from runyard.database.port import Tx
from runyard.model.delivery import Delivery
from runyard.model.ids import DeliveryId
from runyard.store.deliveries import Deliveries


class DeliverySet:
    """Loaded, changed in memory, written together. What an earlier command of the batch made of a
    key, a later one sees."""

    def __init__(self, deliveries: Deliveries, tx: Tx) -> None:
        self._deliveries = deliveries
        self._tx = tx
        self._known: dict[tuple[str, str], Delivery | None] = {}
        self._changed: dict[DeliveryId, tuple[Delivery, bytes]] = {}

    async def load(self, trigger: str, key: str) -> None:
        """Bring in the delivery of a trigger that has this key, if there is one."""
        if key and (trigger, key) not in self._known:
            self._known[trigger, key] = await self._deliveries.known(self._tx, trigger, key)

    def known(self, trigger: str, key: str) -> Delivery | None:
        """The delivery with this key as the batch has it; it was loaded."""
        return self._known[trigger, key] if key else None

    def current(self, delivery: Delivery) -> Delivery:
        """A delivery that was read, as the batch has it."""
        return self._changed.get(delivery.id, (delivery, b""))[0]

    def put(self, delivery: Delivery, content: bytes = b"") -> None:
        """Keep a new or changed delivery; without content, that which it had stays."""
        _, before = self._changed.get(delivery.id, (delivery, b""))
        self._changed[delivery.id] = (delivery, content or before)
        if delivery.key:
            self._known[delivery.trigger, delivery.key] = delivery

    async def write(self) -> None:
        """Write all of it."""
        await self._deliveries.put(self._tx, list(self._changed.values()))
