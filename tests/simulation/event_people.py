"""Who has to do with topics in a world of events: publishers and senders who try again until they
are answered, subscribers who acknowledge, give back or stay away, and people who change things."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from runyard.flow.webhook.taking import ID_KEY
from runyard.gate.asking import Apply
from runyard.gate.delivering import Take
from runyard.gate.firing import PauseTrigger, ResumeTrigger
from runyard.localcloud.pubsub.push_requests import PushRequest
from runyard.localcloud.pubsub.redelivery import ack_id
from runyard.model.delivery import Delivery, DeliveryFate
from runyard.model.errors import PlatformError
from runyard.model.ids import DeliveryId
from runyard.model.instants import to_micros
from runyard.model.job import JobSpec
from runyard.model.pubsub.topic import DeadLetterPolicy, PushConfig, RetryPolicy, Subscription
from tests.simulation.event_engine import EventEngine
from tests.simulation.event_promises import HOOK, STEADY, Event, EventPromises
from tests.simulation.message_promises import MessagePromises
from tests.simulation.process import Pause
from tests.simulation.silence_promises import WITHIN, Place, SilencePromises
from tests.support.runs import make_spec

TOPIC, DEAD = "orders", "dead"
#: Who pulls, and who is pushed to; `lazy` has nobody.
SETTINGS: dict[str, dict[str, Any]] = {
    "ledger": {"ordered": True, "retention_seconds": 600},
    "careful": {
        "filter": 'attributes.kind = "b"',
        "dead_letter": DeadLetterPolicy(DEAD, 5),
        "retry": RetryPolicy(1, 8),
    },
    "pushed": {"ordered": True, "push": PushConfig("http://there/"), "retry": RetryPolicy(1, 20)},
    "archive": {"retain_acked": True, "filter": 'attributes.kind = "a"'},
    "lazy": {"filter": 'attributes.kind = "c"', "retention_seconds": 600},
}
PULLED = ("ledger", "careful", "careful", "morgue", "archive")
PAUSABLE = (*STEADY, *WITHIN)


@dataclass(slots=True)
class Letter:
    """Something that somebody wants to have said: by a topic, or, with a key, to a webhook."""

    event: Event
    key: str = ""
    ordering_key: str = ""
    flies: bool = False
    is_answered: bool = False


@dataclass(slots=True)
class People:
    """All of them. `faults`, `look` and `new` are those of `Surroundings`."""

    random: Random
    faults: list[bool]
    new: Callable[[str], str]
    look: Callable[[], Place]
    messages: MessagePromises
    events: EventPromises
    silences: SilencePromises
    letters: list[Letter] = field(default_factory=list)

    async def subscribe(self, engine: EventEngine) -> None:
        """Make topics, and the subscriptions of people."""
        administration, now = engine.pubsub.administration, engine.clock()
        for name in (TOPIC, DEAD):
            await engine.broker.create_topic("local", name)
        for name, settings in SETTINGS.items():
            asked = Subscription("local", name, TOPIC, now, **settings)
            await administration.create_subscription(asked)
        await administration.create_subscription(Subscription("local", "morgue", DEAD, now))

    # -- who publishes ----------------------------------------------------------------------------
    def say(self, engine: EventEngine) -> None:
        """Say something new, or once more what nobody has answered."""
        waiting = [one for one in self.letters if not one.is_answered and not one.flies]
        if waiting and (self.random.random() < 0.5 or not self.faults[0]):
            letter = self.random.choice(waiting)
        elif self.faults[0]:
            letter = self._letter()
            self.letters.append(letter)
        else:
            return
        letter.flies = True
        said = self._publish if not letter.key else self._send
        engine.spawn(self._try(said(engine, letter), letter), "say")

    def _letter(self) -> Letter:
        random, number = self.random, len(self.events.events)
        event = Event(
            number,
            kind=random.choice("aabbbc"),
            is_sold=random.random() < 0.6,
            is_paid=random.random() < 0.8,
            price="much" if random.random() < 0.25 else 3,
            order=random.choice(["", f"order {number // 2}", f"order {number // 2}"]),
        )
        self.events.events.append(event)
        if random.random() < 0.15:
            return Letter(event, key=f"{ID_KEY}{number}")
        return Letter(event, ordering_key=random.choice(["", "", "x", "y"]))

    async def _try(self, saying: Awaitable[None], letter: Letter) -> None:
        try:
            await saying
            letter.is_answered = True
        except PlatformError:
            return  # nobody knows what became of it
        finally:
            letter.flies = False

    async def _publish(self, engine: EventEngine, letter: Letter) -> None:
        drafts = [letter.event.draft(letter.ordering_key)]
        ids = await engine.broker.publish("local", TOPIC, drafts)
        self.messages.published(TOPIC, drafts, ids)

    async def _send(self, engine: EventEngine, letter: Letter) -> None:
        now, event = engine.clock(), letter.event
        content = event.draft().data
        told = {"body": orjson.loads(content), "headers": {}}
        new = Delivery(DeliveryId(self.new("dlv")), "local", HOOK, letter.key, now, now)
        project, environment, job, name = HOOK.split("/")
        key = (project, environment, job, name)
        taken = await engine.gate.ask(Take(key, new, told, content, now, engine.new_run_id))
        self.events.answered(letter.key, taken)

    # -- who subscribes ---------------------------------------------------------------------------
    def pull(self, engine: EventEngine) -> None:
        """Somebody pulls, and does with each message as it likes."""
        name = self.random.choice(PULLED)
        engine.spawn(self.pull_from(engine, name, self.random.randrange(1, 6)), "pull")

    async def pull_from(self, engine: EventEngine, name: str, limit: int) -> None:
        """Pull at most so many; once there are no faults, all are acknowledged."""
        try:
            found = await engine.broker.pull("local", name, limit)
            await engine.pause("works")
            for one in found:
                choice = self.random.random() if self.faults[0] else 0
                if choice < 0.5:
                    count = await engine.broker.ack("local", name, [one.ack_id])
                    self.messages.acked(name, [one.ack_id], count)
                elif choice < 0.85:
                    seconds = self.random.choice([0, 0, 0, 60])
                    await engine.broker.modify("local", name, [one.ack_id], seconds)
        except PlatformError:
            return

    async def answer(self, request: PushRequest, pause: Pause) -> int:
        """The endpoint of pushes: takes it, refuses it, or does not say."""
        sent = orjson.loads(request.body)
        name, message = sent["subscription"].rpartition("/")[2], int(sent["message"]["messageId"])
        lease = next(one.lease for one in self.messages.of(name) if one.message == message)
        await pause("endpoint")
        choice = self.random.random() if self.faults[0] else 0
        if choice > 0.85:
            raise OSError("no answer")
        if choice > 0.6:
            return 500
        self.messages.acking(name, [ack_id(message, lease)])
        return 204

    # -- who changes things -----------------------------------------------------------------------
    def change(self, engine: EventEngine) -> None:
        """Somebody pauses a trigger, resumes one, has it want others, has a delivery brought again,
        goes back to an earlier instant, or removes a topic and makes it again."""
        changes = [self._pause, self._resume, self._resume, self._redeliver, self._move, self._seek]
        if self.random.random() < 0.05:
            changes = [self._make_anew]
        engine.spawn(self._change(self.random.choice(changes)(engine)), "change")

    async def _change(self, change: Awaitable[None]) -> None:
        try:
            await change
        except PlatformError:
            return  # it was so already

    async def _pause(self, engine: EventEngine) -> None:
        key = _key(self.random.choice(PAUSABLE))
        await engine.gate.ask(PauseTrigger(key, "ann", engine.clock()))

    async def _resume(self, engine: EventEngine) -> None:
        await self.resume(engine, self.random.choice(PAUSABLE))

    async def resume(self, engine: EventEngine, path: str) -> None:
        """Resume a trigger. Raises Refused when it is not paused."""
        now = engine.clock()
        self.silences.arming(path)
        await engine.gate.ask(ResumeTrigger(_key(path), "ann", now, zones=ZoneInfo))
        self.silences.armed(path, self.look(), now)

    async def resume_paused(self, engine: EventEngine, path: str) -> None:
        """Resume a trigger, unless somebody else has."""
        await self._change(self.resume(engine, path))

    async def _move(self, engine: EventEngine) -> None:
        wants = moving(self.random.choice(["a", "c", ""]))
        await engine.gate.ask(Apply([wants], "local", "ann", engine.clock()))

    async def _seek(self, engine: EventEngine) -> None:
        to = engine.clock() - timedelta(seconds=self.random.choice([0, 60, 600]))
        place = self.messages.seeking("archive", to_micros(to))
        await engine.broker.seek("local", "archive", to)
        self.messages.sought("archive", to_micros(to), place)

    async def _make_anew(self, engine: EventEngine) -> None:
        await engine.broker.delete_topic("local", TOPIC)
        await engine.broker.create_topic("local", TOPIC)

    async def _redeliver(self, engine: EventEngine) -> None:
        known = [each for _, each in sorted(self.events.kept.items())]
        if not known:
            return
        one = self.random.choice(known)
        old, now = one.delivery, engine.clock()
        if old.fate is DeliveryFate.GATHERED:
            return
        new = old.evolve(
            id=DeliveryId(self.new("dlv")), key="", received_at=now, last_at=now, count=1,
            redelivers=old.redelivers or old.id, by="ann",
        )  # fmt: skip
        content = self.events.events[one.number].draft().data
        told = {"body": orjson.loads(content), "headers": dict(old.headers)}
        take = Take(_key(old.trigger), new, told, content, now, engine.new_run_id, original=old)
        await engine.gate.ask(take)


def moving(kind: str) -> JobSpec:
    """The job whose trigger wants messages of this kind, together where they are rare; of none, it
    has no trigger."""
    event = {"event": {"topic": TOPIC, "filter": f'attributes.kind = "{kind}"'}}
    batch = {"batch": {"max": 2, "within": "60s"}} if kind == "c" else {}
    return make_spec("moving", project="sim", triggers=[event | batch] if kind else [])


def _key(path: str) -> tuple[str, str, str, str]:
    project, environment, job, name = path.split("/")
    return (project, environment, job, name)
