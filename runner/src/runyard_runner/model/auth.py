"""How the runner shows who it is to an endpoint: a Google ID token, or a key by its variable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from runyard_runner.model.fields import Fields
from runyard_runner.rules.headers import name_fault, value_fault

FIELD_AUTH = (
    "string or object",
    '`"oidc"`, `{"oidc": {"audience": URL}}`, or '
    '`{"api_key": {"env": NAME, "header": "X-API-Key"}}`.',
    "none",
)
_EXPECTED = '"oidc", {"oidc": {"audience": URL}} or {"api_key": {"env": NAME}}'


@dataclass(frozen=True, slots=True)
class Auth:
    """Either a token for `audience` ("" is the endpoint's origin), or a header with a key."""

    audience: str = ""
    header: str = ""
    key: str = ""


def read_auth(
    where: str, value: Any, fields: Fields, variables: Callable[[str], str | None]
) -> Auth | None:
    """What `auth` says; `variables` gives the value of a variable that may be used."""
    if value is None:
        return None
    if value == "oidc":
        return Auth()
    kind = next(iter(value)) if isinstance(value, dict) and len(value) == 1 else ""
    if kind not in ("oidc", "api_key"):
        # whatever stands here may be a secret
        fields.refuse(where, "what stands there", _EXPECTED)
        return None
    inner = fields.mapping(f"{where}.{kind}", value[kind])
    if kind == "oidc":
        fields.known(f"{where}.oidc", inner, ("audience",))
        return Auth(audience=fields.text(f"{where}.oidc.audience", inner.get("audience")))
    return _api_key(f"{where}.api_key", inner, fields, variables)


def _api_key(
    where: str, inner: dict[str, Any], fields: Fields, variables: Callable[[str], str | None]
) -> Auth | None:
    fields.known(where, inner, ("env", "header"))
    header = fields.text(f"{where}.header", inner.get("header"), "X-API-Key")
    if wrong := name_fault(header):
        fields.refuse(f"{where}.header", header, wrong)
    name = fields.text(f"{where}.env", inner.get("env"))
    key = variables(name)
    if key is None:
        fields.refuse(f"{where}.env", name, "the name of a variable that is set and may be used")
        return None
    if wrong := value_fault(key):
        fields.refuse(f"{where}.env", name, f"the name of a variable that holds {wrong}")
    return Auth(header=header, key=key)
