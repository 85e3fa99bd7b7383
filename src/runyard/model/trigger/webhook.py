"""A webhook: asks for a run when somebody outside, who proves to be who they should be, calls."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo

from runyard.model.forms import MemoryAmount, unexpected
from runyard.model.quantities import memory_bytes_of
from runyard.model.strict import Strict
from runyard.model.trigger.asking import Asking
from runyard.model.trigger.filtering import filter_over
from runyard.model.trigger.mapping import MapSpec
from runyard.model.trigger.pointing import ATTRIBUTES, BODY, HEADERS, MESSAGES, Pointer
from runyard.model.trigger.senders import AnySender
from runyard.model.trigger.words import TriggerName

BODY_BYTES_MAX = 25 * 1024 * 1024  #: the largest that GitHub sends
_ELSEWHERE = "a place in body or headers: a webhook has no attributes"


class WebhookSpec(Strict):
    """Asks for a run when it is called, at /hooks/PROJECT/ENVIRONMENT/JOB/NAME."""

    model_config = ConfigDict(alias_generator=to_camel)
    kind: ClassVar[str] = "webhook"

    name: TriggerName | None = None
    webhook: AnySender
    filter: filter_over(BODY, HEADERS) | None = Field(  # type: ignore[valid-type]
        default=None, description="Which deliveries ask for a run; else all."
    )
    key: Pointer | None = Field(
        default=None,
        description="What deliveries are told apart by; else the id that the sender gives.",
    )
    max_body: Annotated[str, MemoryAmount()] = Field(
        default="1Mi", description="The largest content; more is refused."
    )
    map: MapSpec = MapSpec()
    enabled: bool = True
    asking: Asking = Field(default=Asking(), alias="with")

    @property
    def body_bytes_max(self) -> int:
        """The largest content that is taken."""
        return memory_bytes_of(self.max_body)

    @model_validator(mode="after")
    def _fits_together(self) -> WebhookSpec:
        places = [one.source for one in self.map.taken()] + ([self.key] if self.key else [])
        wrong = next((place for place in places if place.startswith((ATTRIBUTES, MESSAGES))), None)
        if wrong is not None:
            raise unexpected(f"{_ELSEWHERE}; {wrong} is none")
        if self.map.args is not None and self.asking.args is not None:
            raise unexpected("args in `map` or in `with`, not both", "a text in map.args is itself")
        if not 1 <= self.body_bytes_max <= BODY_BYTES_MAX:
            raise unexpected(f"maxBody of at most {BODY_BYTES_MAX // 2**20}Mi")
        return self

    def _is_left_out(self, name: str, value: Any, field: FieldInfo) -> bool:
        nothing = isinstance(value, MapSpec | Asking) and not value.document()
        return nothing or super()._is_left_out(name, value, field)
