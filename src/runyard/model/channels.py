"""How people of an environment are told: its channels, who is told of what, and when again.

The `channels`, `routes`, `escalation` and `maintenance` of an environment. What is secret is named
by its secret, which is read when something is sent, and stands in no row.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from runyard.model.cloudrun.words import JobName, Port, SecretVersion
from runyard.model.durations import seconds_of
from runyard.model.forms import Counted, Lasting, Shaped
from runyard.model.kinds import Kinds
from runyard.model.notice import Severity
from runyard.model.places import ZoneName
from runyard.model.strict import Strict
from runyard.model.trigger.words import ClockEndText, ClockText, DaysText, minutes_of, weekdays_of

CHANNELS_MAX = 50
ROUTES_MAX = 100
RECIPIENTS_MAX = 50
ESCALATIONS_MAX = 10
ESCALATION_SECONDS_MAX = 7 * 24 * 3600
PAGERDUTY_URL = "https://events.pagerduty.com/v2/enqueue"
"""Where PagerDuty takes events (https://developer.pagerduty.com/docs/send-alert-event); a service
in Europe has events.eu.pagerduty.com."""

#: Shaped as a job's name, so that it may stand in addresses. `log` is the server's own log, which
#: is always told: a channel called so would never be asked.
ChannelName = Annotated[
    str,
    Shaped(
        "(?!log$)[a-z]([a-z0-9-]{0,47}[a-z0-9])?",
        "a channel's name: at most 49 lower-case letters, digits and hyphens, a letter first, "
        "no hyphen last; not log, which is the server's own log",
        49,
    ),
]
Address = Annotated[
    str,
    Shaped(
        r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?",
        "an e-mail address such as ops@example.com",
        320,
    ),
]
HostName = Annotated[
    str, Shaped("[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?", "a host name", 254)
]
#: Only TLS, but for what does not leave this machine.
SafeUrl = Annotated[
    str,
    Shaped(
        r"https://[^\s\x00-\x1f\x7f]{1,2000}"
        r"|http://(?:localhost|127\.0\.0\.1|\[::1\])(?::[0-9]{1,5})?(?:/[^\s\x00-\x1f\x7f]{0,2000})?",
        "an https:// URL (http:// only to this machine)",
        2048,
    ),
]
LabelKey = Annotated[str, Shaped("[a-z][a-z0-9_-]{0,62}", "the key of a label", 63)]


class SecretValue(Strict):
    """A secret of the environment that holds a value."""

    secret: Annotated[
        str, Shaped("[a-zA-Z0-9_-]{1,255}", "a secret's name, as `runyard secrets create` takes it")
    ]
    version: SecretVersion = "latest"


class _Spoken(Strict):
    model_config = ConfigDict(alias_generator=to_camel)


class Email(_Spoken):
    """A mail server, over TLS only: by STARTTLS, or from the first byte at port 465."""

    host: HostName
    port: Port = 587
    user: Annotated[str, Shaped(r"[^\s\x00-\x1f\x7f]{1,320}", "a user's name", 320)] | None = None
    password: SecretValue | None = None
    sender: Address = Field(alias="from")
    to: Annotated[tuple[Address, ...], Counted(1, RECIPIENTS_MAX)]


class Slack(_Spoken):
    """An incoming webhook of Slack; its address is a secret."""

    url: SecretValue


class PagerDuty(_Spoken):
    """An integration of PagerDuty's Events API v2."""

    routing_key: SecretValue
    url: SafeUrl = PAGERDUTY_URL


class Webhook(_Spoken):
    """A POST of JSON, signed as Standard Webhooks are (https://www.standardwebhooks.com)."""

    url: SafeUrl
    key: SecretValue


class EmailChannel(Strict):
    """Tells by mail."""

    kind: ClassVar[str] = "email"
    email: Email


class SlackChannel(Strict):
    """Tells in a channel of Slack."""

    kind: ClassVar[str] = "slack"
    slack: Slack


class PagerDutyChannel(Strict):
    """Tells PagerDuty, which finds who is on call."""

    kind: ClassVar[str] = "pagerduty"
    pagerduty: PagerDuty


class WebhookChannel(Strict):
    """Tells a program."""

    kind: ClassVar[str] = "webhook"
    webhook: Webhook


#: A kind is told by the key that says it.
ChannelSpec = Annotated[
    EmailChannel | SlackChannel | PagerDutyChannel | WebhookChannel,
    Kinds(
        {
            "email": EmailChannel,
            "slack": SlackChannel,
            "pagerduty": PagerDutyChannel,
            "webhook": WebhookChannel,
        },
        "a channel",
    ),
]
ToChannels = Annotated[tuple[ChannelName, ...], Counted(1, CHANNELS_MAX)]
SeverityWord = Annotated[Severity, Field(strict=False)]


class Hours(_Spoken):
    """Times of day on days of the week; `to` itself is outside. Where `to` is before `from`, it is
    the next day's."""

    days: DaysText = "sun-sat"
    begin: ClockText = Field(default="00:00", alias="from")
    to: ClockEndText = "24:00"
    time_zone: ZoneName = "UTC"

    @property
    def weekdays(self) -> frozenset[int]:
        """Days on which it begins; 0 is Sunday."""
        return weekdays_of(self.days)

    @property
    def minutes(self) -> tuple[int, int]:
        """From when until when, in minutes since midnight."""
        return minutes_of(self.begin), minutes_of(self.to)


class Route(_Spoken):
    """Who is told of what: of incidents at least as bad as `severity`, of jobs with these labels
    (all of them), within these hours. What is left out holds for all."""

    to: ToChannels
    severity: SeverityWord = Severity.INFO
    labels: dict[LabelKey, str] = Field(default={})
    jobs: tuple[JobName, ...] = ()
    hours: Hours | None = None


class Escalation(_Spoken):
    """Who else is told when nobody acknowledged an incident so long after it was opened."""

    after: Annotated[str, Lasting(1, ESCALATION_SECONDS_MAX, "168h")]
    to: ToChannels
    severity: SeverityWord = Severity.INFO

    @property
    def after_seconds(self) -> float:
        """Seconds from the opening."""
        return seconds_of(self.after)
