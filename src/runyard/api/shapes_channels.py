"""What the API answers about channels, as OpenAPI tells it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from runyard.api.shapes import Shape


class ChannelShape(Shape):
    """How people are told. `kind` is email, slack, pagerduty or webhook."""

    project: str
    environment: str
    name: str
    kind: str


class ChannelsShape(Shape):
    """Channels by project and name."""

    channels: list[ChannelShape]


class ChannelTestShape(ChannelShape):
    """The channel took the notice."""

    seconds: Annotated[float, Field(description="How long that took.")]
