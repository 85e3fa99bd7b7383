"""What becomes of a message that a trigger is told: a run, or the reason why not. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from runyard.flow.mapping import mapped, mapped_all, must_fit
from runyard.flow.webhook.proving import key_of
from runyard.flow.webhook.reading import told_of
from runyard.flow.webhook.taking import ID_KEY, Filtered
from runyard.model.errors import Fault, InvalidSpec
from runyard.model.filters import matches
from runyard.model.pubsub.cloudevents import PREFIX
from runyard.model.run import Overrides
from runyard.model.trigger.event import EventSpec
from runyard.model.trigger.filtering import expression, values, written
from runyard.model.trigger.pointing import ATTRIBUTES, BODY, HEADERS, Told, find


def told_by(attributes: Mapping[str, str], data: bytes) -> Told:
    """What a message tells a trigger. Raises InvalidSpec when its data are not what its attribute
    `content-type` says."""
    return as_event(told_of(attributes, data))


def as_event(told: Told) -> Told:
    """What is kept of a message, as a trigger is told it: its attributes are kept as headers."""
    return {BODY: told.get(BODY), ATTRIBUTES: told.get(ATTRIBUTES, told.get(HEADERS, {}))}


def take_event(spec: EventSpec, told: Told) -> Overrides | Filtered:
    """What a run that a message asks for differs in; or that it asks for none.

    Raises InvalidSpec when it asks for one and does not fit the map.
    """
    left_out = _left_out(spec, told)
    return left_out or mapped(spec.map, told, spec.asking.overrides())


def gather_event(spec: EventSpec, told: Told) -> Filtered | None:
    """None when a message is to be one of a batch; or that it asks for no run.

    Raises InvalidSpec when it asks for one and does not fit the map.
    """
    left_out = _left_out(spec, told)
    if left_out is None:
        must_fit(spec.map, told)
    return left_out


def together(spec: EventSpec, many: Sequence[Told]) -> Overrides:
    """What the run of a batch differs in; without one, that of the first message.

    Raises InvalidSpec when it does not fit the map.
    """
    over = spec.asking.overrides()
    if spec.batch is None:
        return mapped(spec.map, many[0], over)
    return mapped_all(spec.map, many, over)


def batch_size(spec: EventSpec) -> int:
    """How many messages become one run at most."""
    return 1 if spec.batch is None else spec.batch.max


def batch_due(spec: EventSpec, count: int, oldest: datetime) -> datetime:
    """When `count` messages that wait, the first since `oldest`, are to become a run."""
    if spec.batch is None or count >= spec.batch.max:
        return oldest
    return oldest + timedelta(seconds=spec.batch.within_seconds)


def as_message(told: Told, delivery: str) -> Told:
    """One of a batch as its run is told it, with the id that it is kept by."""
    return {"delivery": delivery, **as_event(told)}


def _left_out(spec: EventSpec, told: Told) -> Filtered | None:
    if unfit := spec.event.unfit(told[ATTRIBUTES]):
        return Filtered(f"{unfit} is another one")
    asked = None if spec.filter is None else expression(spec.filter, (BODY, ATTRIBUTES))
    if not matches(asked, values(told)):
        return Filtered("the filter leaves it out")
    return None


def event_key(spec: EventSpec, told: Told, message_id: int) -> str:
    """What tells a message from the trigger's others, as it is kept: who publishes an event twice
    has one run of it, if it says so.

    Raises InvalidSpec when the trigger's `key` is not there.
    """
    if spec.key is not None:
        value = find(told, spec.key)
        if value is None:
            fault = Fault(spec.key, "nothing", "a value, by which events are told apart")
            raise InvalidSpec("what was published has not the trigger's key", faults=(fault,))
        return f"{ID_KEY}{key_of(written(value))}"
    said = told[ATTRIBUTES]
    source, identity = said.get(f"{PREFIX}source"), said.get(f"{PREFIX}id")
    if source and identity:  # together they are one event's (CloudEvents, `id`)
        return f"{ID_KEY}{key_of(f'{source} {identity}')}"
    return f"{ID_KEY}message/{message_id}"
