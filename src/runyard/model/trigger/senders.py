"""Who sends webhooks, and by what they are believed: a signature, a token, an identity.

github    https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries
gitlab    https://docs.gitlab.com/user/project/integrations/webhooks/#delivery-headers
slack     https://docs.slack.dev/authentication/verifying-requests-from-slack
standard  https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
hmac      any other signature by a shared secret, as its fields say
oidc      an ID token in the header Authorization, as Pub/Sub push and Cloud Scheduler send one
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from runyard.model.cloudrun.words import SecretName
from runyard.model.durations import seconds_of
from runyard.model.forms import Counted, Lasting, Shaped, unexpected
from runyard.model.kinds import Words
from runyard.model.strict import Strict

TOLERANCE_SECONDS_MAX = 24 * 3600
TOLERANCE = "300s"  #: what Slack and the Standard Webhooks advise
IDENTITIES_MAX = 100
BODY_PART, TIMESTAMP_PART, ID_PART = "{body}", "{timestamp}", "{id}"

#: RFC 9110, a token; shown in lower case, as headers are compared.
HeaderName = Annotated[
    str, Shaped(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}", "the name of an HTTP header", 100)
]
Line = Annotated[str, Shaped(r"[!-~ ]{0,100}", "at most 100 printable characters", 100)]
Tolerance = Annotated[str, Lasting(1, TOLERANCE_SECONDS_MAX, "24h")]
IssuerUrl = Annotated[
    str,
    Shaped(
        r"https://[!-~]{1,500}|http://(?:127\.0\.0\.1|localhost)(?::[0-9]{1,5})?(?:/[!-~]{0,200})?",
        "the URL of an OpenID Connect issuer, such as https://accounts.google.com",
        520,
    ),
]
Printable = Annotated[str, Shaped(r"[!-~]{1,500}", "at most 500 characters without blanks", 500)]


class Algorithm(StrEnum):
    """What a signature is computed with; HMAC (RFC 2104) of it."""

    SHA256 = "sha256"
    SHA384 = "sha384"
    SHA512 = "sha512"


class Encoding(StrEnum):
    """How a signature is written."""

    HEX = "hex"
    BASE64 = "base64"


class Sender(Strict):
    """What all senders have in common."""

    model_config = ConfigDict(alias_generator=to_camel)


class GithubSender(Sender):
    """GitHub: X-Hub-Signature-256. It signs neither when nor under which id it sends."""

    kind: Literal["github"]
    secret: SecretName


class GitlabSender(Sender):
    """GitLab's secret token: X-Gitlab-Token. Its signing token is the kind `standard`."""

    kind: Literal["gitlab"]
    secret: SecretName


class SlackSender(Sender):
    """Slack: X-Slack-Signature, version v0."""

    kind: Literal["slack"]
    secret: SecretName
    tolerance: Tolerance = TOLERANCE


class StandardSender(Sender):
    """Standard Webhooks: webhook-signature, version v1. The secret begins with whsec_."""

    kind: Literal["standard"]
    secret: SecretName
    tolerance: Tolerance = TOLERANCE


class HmacSender(Sender):
    """Any other signature by a shared secret."""

    kind: Literal["hmac"]
    secret: SecretName
    header: HeaderName = Field(description="Where the signature is.")
    algorithm: Algorithm = Algorithm.SHA256
    encoding: Encoding = Encoding.HEX
    prefix: Line = Field(default="", description="What stands before the signature: `sha256=`.")
    timestamp_header: HeaderName | None = Field(
        default=None, description="Where it says when it was sent, in seconds of Unix time."
    )
    id_header: HeaderName | None = Field(
        default=None, description="Where it says which delivery it is: it is taken once."
    )
    signed: Line | None = Field(
        default=None,
        description="What is signed; else {body}, or {timestamp}.{body} where there is one.",
    )
    tolerance: Tolerance = TOLERANCE

    @property
    def text_signed(self) -> str:
        """What is signed, with its parts in braces."""
        bare = BODY_PART if self.timestamp_header is None else f"{TIMESTAMP_PART}.{BODY_PART}"
        return self.signed or bare

    @model_validator(mode="after")
    def _signs_what_it_names(self) -> HmacSender:
        text = self.text_signed
        if text.count(BODY_PART) != 1:
            raise unexpected(f"`signed` with {BODY_PART} in it, once")
        if (TIMESTAMP_PART in text) != (self.timestamp_header is not None):
            hint = "a time that is not signed protects from nothing"
            raise unexpected(f"{TIMESTAMP_PART} in `signed`, and a timestampHeader for it", hint)
        if ID_PART in text and self.id_header is None:
            raise unexpected(f"an idHeader for {ID_PART} in `signed`")
        return self


class OidcSender(Sender):
    """An ID token: of this issuer, for this audience, about one of these."""

    kind: Literal["oidc"]
    issuer: IssuerUrl
    audience: Printable
    emails: Annotated[tuple[Printable, ...], Counted(0, IDENTITIES_MAX)] = ()
    subjects: Annotated[tuple[Printable, ...], Counted(0, IDENTITIES_MAX)] = ()

    @model_validator(mode="after")
    def _names_somebody(self) -> OidcSender:
        if not self.emails and not self.subjects:
            raise unexpected("emails or subjects: whose tokens are taken", "an issuer has many")
        return self


AnySender = Annotated[
    GithubSender | GitlabSender | SlackSender | StandardSender | HmacSender | OidcSender,
    Words(
        "kind",
        {
            "github": GithubSender,
            "gitlab": GitlabSender,
            "slack": SlackSender,
            "standard": StandardSender,
            "hmac": HmacSender,
            "oidc": OidcSender,
        },
        "a mapping",
    ),
]


def tolerance_seconds(sender: SlackSender | StandardSender | HmacSender) -> float:
    """How far the time of sending may be from ours, before or after."""
    return seconds_of(sender.tolerance)
