"""What callers send about secrets. A value comes in base64 and is shown in no fault."""

from __future__ import annotations

import base64
from typing import Annotated

from pydantic import AfterValidator, Field

from runyard.api.body_parts import Whole, map_of_at_most
from runyard.model.cloudrun.words import SecretName
from runyard.model.forms import Between, Shaped, unexpected
from runyard.model.secret import LABELS_MAX
from runyard.model.strict import Strict

Value = Annotated[
    str,
    Shaped(
        r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)",
        "base64 of 1 byte to 64 KiB",
        87_384,
    ),
]
VersionName = Annotated[
    str,
    Shaped(
        r"[1-9][0-9]{0,8}|[A-Za-z][A-Za-z0-9_-]{0,62}",
        "a version: its number, an alias or latest",
        63,
    ),
]
Alias = Annotated[
    str,
    Shaped(
        r"(?!(?:latest|NEW)$)[A-Za-z][A-Za-z0-9_-]{0,62}",
        "an alias: at most 63 letters, digits, - and _, a letter first, not latest or NEW",
        63,
    ),
]
Member = Annotated[
    str,
    Shaped(
        r"(?:user|serviceAccount|group):[!-9;->@-~]{1,255}",
        "user:NAME, group:NAME or serviceAccount:EMAIL",
        300,
    ),
]
_LabelKey = Annotated[
    str,
    Shaped(
        r"[a-z][a-z0-9_-]{0,62}",
        "a label's key: at most 63 lower-case letters, digits, - and _, a letter first",
        63,
    ),
]
_LabelValue = Annotated[
    str,
    Shaped(
        r"[a-z0-9_-]{0,63}",
        "a label's value: at most 63 lower-case letters, digits, - and _",
        63,
    ),
]


def _few(labels: dict[str, str]) -> dict[str, str]:
    if len(labels) > LABELS_MAX:
        raise unexpected(f"at most {LABELS_MAX} labels")
    return labels


Labels = Annotated[dict[_LabelKey, _LabelValue], AfterValidator(_few)]
Etag = Annotated[
    str,
    Shaped(r'"[0-9a-f]{1,16}"|', "the etag that the secret was last seen with, or nothing", 18),
]


class SecretBody(Strict):
    """A secret's new value: 1 byte to 64 KiB, in base64 (RFC 4648, section 4)."""

    value_base64: Value


class NewSecretBody(Strict):
    """A new secret, with a first version when a value is given."""

    name: SecretName
    value_base64: Value | None = None
    labels: Labels = Field(
        default={},
        description="`owner-project` and `owner-job` name the job that it goes with.",
        json_schema_extra=map_of_at_most(LABELS_MAX),
    )

    def value(self) -> bytes | None:
        """The value as bytes."""
        return None if self.value_base64 is None else base64.b64decode(self.value_base64)


class SecretLabelsBody(Strict):
    """Other labels for a secret."""

    labels: Annotated[Labels, Field(json_schema_extra=map_of_at_most(LABELS_MAX))]
    etag: Etag = ""


class AliasBody(Strict):
    """What an alias names from now on; no version: nothing any more."""

    alias: Alias
    version: Annotated[int, Between(1, 999_999_999), Whole] | None = None
    etag: Etag = ""


class MemberBody(Strict):
    """Who may read a secret, or may no more."""

    member: Member


SECRET_BODIES: tuple[type[Strict], ...] = (
    SecretBody,
    NewSecretBody,
    SecretLabelsBody,
    AliasBody,
    MemberBody,
)
