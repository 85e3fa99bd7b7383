"""What is promised of topics and subscriptions, looked at in each transaction of their database:

- what was acknowledged to a publisher is with each subscription that wants it, and with no other;
- it stays there until who got it acknowledges it, it goes to the dead-letter topic after so many
  deliveries, it is as old as is kept, or the subscription is removed;
- what was acknowledged is not delivered again, unless an earlier one of its key is;
- of a key, nothing is delivered before what was published before it; nothing before it is due;
- who goes back to an instant gets again all that was published since and is kept.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from runyard.localcloud.pubsub.redelivery import NEVER_MICROS, read_ack_id
from runyard.model.pubsub.message import Draft
from tests.simulation.message_log import Entry

SECOND_MICROS = 1_000_000
_SOURCE = "CloudPubSubDeadLetterSource"
_EQUAL = re.compile(r'attributes\.([\w-]+) = "([^"]*)"')


@dataclass(slots=True)
class Sub:
    """A subscription; `settings` as they were asked for."""

    number: int
    name: str
    topic: int
    settings: Mapping[str, Any]

    @property
    def ordered(self) -> bool:
        """Whether messages with one key come one after the other."""
        return bool(self.settings["ordered"])

    @property
    def dead_letter(self) -> tuple[str, int] | None:
        """The topic of what nobody acknowledges, and after how many deliveries."""
        rule = self.settings["dead_letter"]
        return None if rule is None else (rule["topic"], rule["attempts_max"])

    def wants(self, attributes: Mapping[str, str]) -> bool:
        """Whether its filter lets a message through: a world's filters only say what is equal."""
        asked = _EQUAL.findall(self.settings["filter"])
        return all(attributes.get(name) == value for name, value in asked)


@dataclass(slots=True)
class Item:
    """A message of a subscription. Places are numbers of the log: when it was planned, when it was
    delivered last, and when that, or somebody who went back or forth in time, last changed it.
    `acking` are the deliveries that somebody was about to acknowledge; `sure`: who did was told
    that it counts. `is_gone`: it is not kept for another time either."""

    message: int
    key: str
    published_at: int
    planned: int
    delivered: int = 0
    touched: int = 0
    lease: int = 0
    acking: set[int] = field(default_factory=set)
    sure: bool = False
    is_over: bool = False
    is_gone: bool = False


@dataclass(frozen=True, slots=True)
class Removal:
    """A subscription was removed, with messages that nobody had acknowledged. `had_topic`: its
    topic was there still."""

    sub: Sub
    lost: tuple[int, ...]
    had_topic: bool


class MessagePromises:
    """Knows what must be with whom. `latest` is the latest instant that any clock has shown."""

    def __init__(self, latest: Callable[[], int]) -> None:
        self.logged = 0  #: the place of what happened last
        self.subs: dict[str, Sub] = {}
        self.items: dict[int, dict[int, Item]] = {}
        self.removals: list[Removal] = []
        self.attributes: dict[int, Mapping[str, str]] = {}
        self.dead: list[tuple[str, int]] = []  #: what went to a dead-letter topic, from whom
        self._broken: list[str] = []
        self._seeks: dict[str, list[int]] = {}
        self._latest = latest
        self._topics: dict[str, int] = {}
        self._numbered: dict[int, Sub] = {}
        self._offered: dict[int, Mapping[str, Sequence[Sub]]] = {}
        self._published_at: dict[int, int] = {}
        self._copies: Counter[str] = Counter()
        self._looks: Mapping[str, Callable[[Entry, Sequence[Entry]], None]] = {
            "topic": self._topic,
            "no topic": self._no_topic,
            "subscription": self._subscription,
            "no subscription": self._no_subscription,
            "numbers": self._numbers,
            "message": self._message,
            "plan": self._plan,
            "change": self._change,
            "drop": self._drop,
        }

    # -- what the world tells ---------------------------------------------------------------------
    def told(self, entries: Sequence[Entry]) -> None:
        """A transaction is durable. What is wrong is kept for the next check: whoever asked for it
        would take an assertion for a failed call."""
        try:
            self._copies = Counter(name for one in entries if (name := _source(one)))
            for one in entries:
                self.logged = one.number
                self._looks[one.what](one, entries)
            self._check_order(entries)
            assert not self._copies.total(), f"copies of what is not dead: {self._copies}"
        except AssertionError as error:
            self._broken.append(str(error))

    def published(self, topic: str, drafts: Sequence[Draft], ids: Sequence[int]) -> None:
        """A publisher was told that these are kept."""
        for sub in self._offered[ids[0]].get(topic, ()):
            for number, draft in zip(ids, drafts, strict=True):
                if sub.wants(draft.attributes):
                    assert number in self.items[sub.number], f"{sub.name} lost message {number}"

    def acking(self, name: str, ack_ids: Iterable[str]) -> None:
        """Somebody is about to acknowledge deliveries."""
        for item, lease in self._named(name, ack_ids):
            item.acking.add(lease)

    def acked(self, name: str, ack_ids: Sequence[str], count: int) -> None:
        """Somebody was told that so many of them counted."""
        if count == len(ack_ids):
            for item, lease in self._named(name, ack_ids):
                item.sure |= item.lease == lease

    def seeking(self, name: str, to: int) -> int:
        """Somebody is about to go back to an instant; the place of what has happened before."""
        self._seeks.setdefault(name, []).append(to)
        return self.logged

    def sought(self, name: str, to: int, place: int) -> None:
        """Somebody was told that all since an instant is delivered again."""
        kept = [one for one in self.of(name) if one.planned <= place and not one.is_gone]
        late = [one for one in kept if one.is_over and one.touched <= place]
        lost = [one.message for one in late if one.published_at >= to]
        assert not lost, f"{name} went back, and does not get {lost} again"

    def _named(self, name: str, ack_ids: Iterable[str]) -> list[tuple[Item, int]]:
        items = self.items[self.subs[name].number] if name in self.subs else {}
        read = [found for found in map(read_ack_id, ack_ids) if found is not None]
        return [(items[message], lease) for message, lease in read if message in items]

    # -- what there is ----------------------------------------------------------------------------
    def open(self, name: str) -> list[Item]:
        """What a subscription has to deliver."""
        items = self.items[self.subs[name].number] if name in self.subs else {}
        return [one for one in items.values() if not one.is_over]

    def of(self, name: str) -> list[Item]:
        """All that subscriptions of a name ever had to deliver."""
        numbers = [sub.number for sub in self._numbered.values() if sub.name == name]
        return [item for number in numbers for item in self.items[number].values()]

    def has_topic(self, sub: Sub) -> bool:
        """Whether the topic of a subscription is there still."""
        return sub.topic in self._topics.values()

    def check(self) -> None:
        """After every step."""
        assert not self._broken, "; ".join(self._broken)

    # -- what happened ----------------------------------------------------------------------------
    def _topic(self, one: Entry, _: Sequence[Entry]) -> None:
        self._topics[one.text] = one.message

    def _no_topic(self, one: Entry, _: Sequence[Entry]) -> None:
        self._topics = {name: each for name, each in self._topics.items() if each != one.message}

    def _subscription(self, one: Entry, _: Sequence[Entry]) -> None:
        sub = Sub(one.subscription, one.key, one.message, orjson.loads(one.text))
        self.subs[sub.name] = self._numbered[sub.number] = sub
        self.items[sub.number] = {}

    def _no_subscription(self, one: Entry, entries: Sequence[Entry]) -> None:
        sub = self.subs.pop(one.key)
        items, gone = self.items[sub.number], [each for each in entries if each.what == "drop"]
        lost = tuple(each.message for each in gone if not items[each.message].acking)
        self.removals.append(Removal(sub, lost, self.has_topic(sub)))

    def _numbers(self, one: Entry, _: Sequence[Entry]) -> None:
        self._offered[one.message] = {
            name: [sub for sub in self.subs.values() if sub.topic == number]
            for name, number in self._topics.items()
        }

    def _message(self, one: Entry, entries: Sequence[Entry]) -> None:
        self._published_at[one.message] = one.at
        attributes = self.attributes[one.message] = orjson.loads(one.text)
        planned = {
            each.subscription
            for each in entries
            if (each.what, each.message) == ("plan", one.message)
        }
        wanting = {
            sub.number
            for sub in self.subs.values()
            if sub.topic == one.subscription and sub.wants(attributes)
        }
        assert planned == wanting, f"message {one.message} is for {wanting}, not for {planned}"
        source = attributes.get(f"{_SOURCE}Subscription", "")
        rule = self.subs[source].dead_letter if source else None
        if rule is not None:
            count = int(attributes[f"{_SOURCE}DeliveryCount"])
            assert count == rule[1], f"{source} gave up after {count} deliveries"

    def _plan(self, one: Entry, _: Sequence[Entry]) -> None:
        published, name = self._published_at[one.message], self._numbered[one.subscription].name
        assert one.message not in self.items[one.subscription], (
            f"{name} gets message {one.message} anew"
        )
        item = Item(one.message, one.key, published, one.number)
        self.items[one.subscription][one.message] = item

    def _change(self, one: Entry, entries: Sequence[Entry]) -> None:
        item = self.items[one.subscription][one.message]
        if one.attempts > one.was_attempts:
            self._delivered(one, item)
        elif one.acked_at is not None and one.was_acked_at is None:
            self._over(one, item, entries)
        elif one.acked_at is None and one.was_acked_at is not None:
            self._restarted(one, item, entries)
        elif one.lease is not None and one.lease < 0:
            item.lease = 0  # nobody has it any more

    def _delivered(self, one: Entry, item: Item) -> None:
        sub = self._numbered[one.subscription]
        words = f"{sub.name}: message {one.message}"
        assert not item.is_over, f"{words} was over, and is delivered again"
        assert not item.sure, f"{words} was acknowledged, and is delivered again"
        early = one.was_at > self._latest() and one.was_at != NEVER_MICROS
        assert not early, f"{words} is delivered before it is due"
        mine = sub.settings["ack_deadline_seconds"] * SECOND_MICROS
        is_mine = item.delivered > 0 or one.at - one.lease >= mine
        assert is_mine, f"{words} is due again before who has it can have done it"
        rule = sub.dead_letter
        if rule is not None and rule[0] in self._topics:
            assert one.attempts <= rule[1], f"{words} is delivered {one.attempts} times"
        if item.key:
            others = self.items[one.subscription].values()
            before = [each for each in others if each.key == item.key and not each.is_over]
            late = [each.message for each in before if each.message < item.message]
            late = [each for each in late if self._place(one, each) <= item.delivered]
            assert not late, f"{words} is delivered before {late} of its key"
        item.delivered = item.touched = one.number
        item.lease = one.lease

    def _place(self, one: Entry, message: int) -> int:
        return self.items[one.subscription][message].delivered

    def _check_order(self, entries: Sequence[Entry]) -> None:
        """When a message of a key comes again, all after it do."""
        for one in entries:
            if one.key and one.what == "change" and one.attempts > max(one.was_attempts, 1):
                others = self.items[one.subscription].values()
                after = [each for each in others if each.key == one.key and each.is_over]
                late = [
                    each.message
                    for each in after
                    if each.message > one.message and not each.is_gone
                ]
                assert not late, f"message {one.message} of {one.key} comes again without {late}"

    def _restarted(self, one: Entry, item: Item, entries: Sequence[Entry]) -> None:
        """An acknowledged message is to come again, because an earlier one of its key does."""
        earlier = [
            each
            for each in entries
            if each.what == "change"
            and (each.subscription, each.key) == (one.subscription, one.key)
            and each.attempts > each.was_attempts
            and each.message < one.message
        ]
        sub = self._numbered[one.subscription]
        words = f"{sub.name}: message {one.message} comes again"
        if not self._is_sought(sub, lambda to: to <= item.published_at):
            assert sub.ordered, f"{words}, though there is no order"
            assert earlier, f"{words}, though none before it does"
        item.is_over, item.sure, item.touched = False, False, one.number
        item.lease = 0  # what acknowledged it says nothing any more

    def _drop(self, one: Entry, entries: Sequence[Entry]) -> None:
        item = self.items[one.subscription][one.message]
        item.is_gone = True
        if not item.is_over:
            self._over(one, item, entries)

    def _over(self, one: Entry, item: Item, entries: Sequence[Entry]) -> None:
        """Nobody gets a message any more: somebody has to have said so, or a rule has to."""
        sub, item.is_over = self._numbered[one.subscription], True
        if self._copies[sub.name]:
            self._copies[sub.name] -= 1
            self.dead.append((sub.name, one.message))
            return
        if item.lease in item.acking or any(
            (each.what, each.subscription) == ("no subscription", sub.number) for each in entries
        ):
            return
        if self._is_sought(sub, lambda to: to > item.published_at):
            item.touched = one.number
            return
        kept_until = item.published_at + sub.settings["retention_seconds"] * SECOND_MICROS
        assert kept_until <= self._latest(), f"{sub.name} lost message {one.message}"

    def _is_sought(self, sub: Sub, fits: Callable[[int], bool]) -> bool:
        return any(fits(to) for to in self._seeks.get(sub.name, ()))


def _source(one: Entry) -> str:
    """The subscription that a message was given up by; empty of any other message."""
    attributes = orjson.loads(one.text) if one.what == "message" else {}
    return str(attributes.get(f"{_SOURCE}Subscription", ""))
