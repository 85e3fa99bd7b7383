"""The port of every channel: how people are told."""

from __future__ import annotations

from typing import Protocol

from runyard.model.channels import ChannelSpec, SecretValue
from runyard.model.notice import Notice


class Channel(Protocol):
    """A voice. Raises ChannelError when it could not tell, ChannelRefused when it never will;
    telling twice does no harm."""

    name: str

    async def send(self, notice: Notice) -> None:
        """Tell it."""


class Secrets(Protocol):
    """Where the secrets of channels are."""

    async def __call__(self, environment: str, value: SecretValue) -> str:
        """A value of an environment. Raises PlatformError; nothing of a value is in it."""


class Voices(Protocol):
    """All channels that are declared, by what was said of them."""

    async def send(self, environment: str, name: str, spec: ChannelSpec, notice: Notice) -> None:
        """Tell it by one channel. Raises as `Channel.send`; a secret that cannot be read is a
        ChannelError, since it may be mended."""
