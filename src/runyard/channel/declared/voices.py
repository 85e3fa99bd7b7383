"""All declared channels: each made from what was said of it, with its secrets, when it is used."""

from __future__ import annotations

import asyncio
import ssl
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import cache

from runyard.channel.declared.http import Poster
from runyard.channel.declared.mail import MailVoice
from runyard.channel.declared.pagerduty import PagerDutyVoice
from runyard.channel.declared.slack import SlackVoice
from runyard.channel.declared.webhook import WebhookVoice
from runyard.channel.port import Channel, Secrets
from runyard.model.channels import (
    ChannelSpec,
    EmailChannel,
    PagerDutyChannel,
    SecretValue,
    SlackChannel,
)
from runyard.model.errors import ChannelError, PlatformError
from runyard.model.notice import Notice

THREADS_MAX = 8  #: far sides that may be waited for at the same time


class RealVoices:
    """`Voices` over the network. One notice at a time by each channel: their order is kept, and
    what hangs holds up itself alone."""

    def __init__(
        self, secrets: Secrets, clock: Callable[[], datetime], trust: Callable[[], ssl.SSLContext]
    ) -> None:
        """`trust` is asked when it is needed first: reading all authorities takes a while."""
        self._secrets = secrets
        self._clock = clock
        self._trust = cache(trust)
        self._threads = ThreadPoolExecutor(THREADS_MAX, thread_name_prefix="channel")
        self._poster = Poster(self._trust, self._threads)
        self._turns: defaultdict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def send(self, environment: str, name: str, spec: ChannelSpec, notice: Notice) -> None:
        """See `Voices.send`."""
        async with self._turns[environment, name]:
            channel = await self._opened(environment, name, spec)
            await channel.send(notice)

    def close(self) -> None:
        """Let go of the threads; what is under way ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _opened(self, environment: str, name: str, spec: ChannelSpec) -> Channel:
        async def secret(value: SecretValue) -> str:
            return await self._secret(environment, value)

        match spec:
            case EmailChannel(email=email):
                password = await secret(email.password) if email.password else ""
                return MailVoice(name, email, password, self._trust, self._threads)
            case SlackChannel(slack=slack):
                return SlackVoice(name, await secret(slack.url), self._poster)
            case PagerDutyChannel(pagerduty=duty):
                key = await secret(duty.routing_key)
                return PagerDutyVoice(name, duty.url, key, self._poster)
            case _:
                key = await secret(spec.webhook.key)
                return WebhookVoice(name, spec.webhook.url, key, self._poster, self._clock)

    async def _secret(self, environment: str, value: SecretValue) -> str:
        try:
            return (await self._secrets(environment, value)).strip()
        except PlatformError as error:
            raise ChannelError(error.message, hint=error.hint) from error


def trusted() -> ssl.SSLContext:
    """What certificates are believed by: the authorities of the system, or those in the file that
    OpenSSL's own variable SSL_CERT_FILE names."""
    return ssl.create_default_context()
