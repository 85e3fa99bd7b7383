"""An event: asks for a run when a message of a topic fits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo

from runyard.model.durations import seconds_of
from runyard.model.errors import InvalidSpec
from runyard.model.forms import Between, Lasting, Shaped, unexpected
from runyard.model.pubsub.cloudevents import PREFIX
from runyard.model.pubsub.filters import FILTER_BYTES_MAX, parse
from runyard.model.pubsub.limits import TopicName
from runyard.model.strict import Strict
from runyard.model.trigger.asking import Asking
from runyard.model.trigger.filtering import filter_over
from runyard.model.trigger.mapping import MapSpec
from runyard.model.trigger.pointing import ATTRIBUTES, BODY, HEADERS, MESSAGES, Pointer
from runyard.model.trigger.words import TriggerName

BATCH_MAX = 1000  #: messages that become one run
_ELSEWHERE = "a place in body or attributes: an event has no headers"


def _filter(text: str) -> str:
    try:
        found = parse(text)
    except InvalidSpec as error:
        fault = error.faults[0]
        where = f"{fault.expected}, at column {fault.column}, where {fault.value} is"
        raise unexpected(where, fault.hint) from None
    if found is None:
        raise unexpected('a filter such as attributes.kind = "order"', "or leave it out")
    return text


#: As Eventarc's match-path-pattern: `*` is anything within a segment, `**` any segments.
PathPattern = Annotated[
    str,
    Shaped(r"[^\x00-\x20]{1,200}", "a text, or a pattern such as /shop/* or /shop/**", 200),
]
AttributeFilter = Annotated[
    str,
    AfterValidator(_filter),
    Field(
        description="A filter over attributes, in Pub/Sub's language.",
        json_schema_extra={"maxLength": FILTER_BYTES_MAX},
    ),
]


class EventSource(Strict):
    """Which events: of a topic; for CloudEvents also of a type, a source, a subject."""

    topic: TopicName = Field(description="Of the job's environment; made where there is none.")
    type: PathPattern | None = Field(default=None, description="A CloudEvent's type.")
    source: PathPattern | None = Field(default=None, description="A CloudEvent's source.")
    subject: PathPattern | None = Field(default=None, description="A CloudEvent's subject.")
    filter: AttributeFilter | None = None

    def patterns(self) -> Mapping[str, str]:
        """What attributes must look like."""
        said = {"type": self.type, "source": self.source, "subject": self.subject}
        return {f"{PREFIX}{name}": text for name, text in said.items() if text is not None}

    def unfit(self, attributes: Mapping[str, str]) -> str:
        """Which attribute is not as it must be; empty when all are."""
        for name, pattern in self.patterns().items():
            if not is_like(pattern, attributes.get(name, "")):
                return name
        return ""

    def subscription_filter(self) -> str:
        """What can be left to Pub/Sub, so that what does not fit is never delivered."""
        parts = [] if self.filter is None else [f"({self.filter})"]
        whole = " AND ".join([*parts, *self._comparisons()])
        return whole if len(whole.encode()) <= FILTER_BYTES_MAX else self.filter or ""

    def _comparisons(self) -> Iterator[str]:
        for name, pattern in self.patterns().items():
            fixed, star, _ = pattern.partition("*")
            text = fixed.replace("\\", "\\\\").replace('"', '\\"')
            if not star:
                yield f'attributes.{name} = "{text}"'
            elif fixed:
                yield f'hasPrefix(attributes.{name}, "{text}")'


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*|\*)", pattern)
    words = {"**": ".*", "*": "[^/]*"}
    return re.compile("".join(words.get(part) or re.escape(part) for part in parts), re.DOTALL)


def is_like(pattern: str, text: str) -> bool:
    """True when a text is as a pattern has it, from end to end."""
    return _compiled(pattern).fullmatch(text) is not None


class BatchSpec(Strict):
    """So many messages become one run, or those that came in so long: whichever is first."""

    max: Annotated[int, Between(1, BATCH_MAX)] = Field(description="Messages of a run.")
    within: Annotated[str, Lasting(1, 24 * 3600, "24h")] = Field(
        description="How long the first message waits for others."
    )

    @property
    def within_seconds(self) -> float:
        """How long the first message waits."""
        return seconds_of(self.within)


class EventSpec(Strict):
    """Asks for a run for each message of a topic that fits, or for each batch of them."""

    model_config = ConfigDict(alias_generator=to_camel)
    kind: ClassVar[str] = "event"

    name: TriggerName | None = None
    event: EventSource
    filter: filter_over(BODY, ATTRIBUTES) | None = Field(  # type: ignore[valid-type]
        default=None, description="Which messages ask for a run, by what is in them; else all."
    )
    key: Pointer | None = Field(
        default=None,
        description="What events are told apart by; else a CloudEvent's source and id, or the id "
        "of the message.",
    )
    batch: BatchSpec | None = Field(
        default=None,
        description="Gathers messages into one run; what `map` takes over is a list then.",
    )
    map: MapSpec = MapSpec()
    enabled: bool = True
    asking: Asking = Field(default=Asking(), alias="with")

    @model_validator(mode="after")
    def _fits_together(self) -> EventSpec:
        places = [one.source for one in self.map.taken()] + ([self.key] if self.key else [])
        wrong = next((place for place in places if place.startswith(HEADERS)), None)
        if wrong is not None:
            raise unexpected(f"{_ELSEWHERE}; {wrong} is none")
        if self.batch is None and MESSAGES in places:
            raise unexpected(f"a batch where the map takes over {MESSAGES}", "add `batch`")
        if self.map.args is not None and self.asking.args is not None:
            raise unexpected("args in `map` or in `with`, not both", "a text in map.args is itself")
        return self

    def _is_left_out(self, name: str, value: Any, field: FieldInfo) -> bool:
        nothing = isinstance(value, MapSpec | Asking) and not value.document()
        return nothing or super()._is_left_out(name, value, field)
