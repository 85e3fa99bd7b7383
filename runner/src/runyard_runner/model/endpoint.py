"""An endpoint: what is called, how, and what counts as success.

It is a URL (called with POST), or an object of the fields in `FIELDS`. Reading one notes every
fault with its path. Whatever may stand in `${NAME}` was filled in before.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from runyard_runner.model.auth import FIELD_AUTH, Auth, read_auth
from runyard_runner.model.fields import Fields
from runyard_runner.model.limits import Limits
from runyard_runner.model.target import Target, TargetError, read_target
from runyard_runner.rules.conditions import Condition, read_condition
from runyard_runner.rules.headers import name_fault, value_fault
from runyard_runner.rules.paths import PathError
from runyard_runner.rules.retrying import Backoff
from runyard_runner.rules.statuses import Expected, read_expected
from runyard_runner.rules.templates import check, has_holes

_KNOWN_MAX = 1024
METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS")

#: Field: (type, meaning, default). The reference of the fields is made of this table.
FIELDS: dict[str, tuple[str, str, str]] = {
    "url": ("string", "Where to call: http or https.", "must be there"),
    "method": ("string", f"One of {', '.join(METHODS)}.", "POST"),
    "headers": ("object", "Headers to send.", "none"),
    "json": ("any", "The body, sent as JSON.", "none"),
    "body": ("string or object", "The body, sent as it is; an object is sent as JSON.", "none"),
    "params": ("object", "Parameters that are added to the query; a list repeats one.", "none"),
    "timeout": ("number", "Seconds that one attempt may take.", "REQUEST_TIMEOUT"),
    "retries": ("whole number", "Further attempts after a failure that may pass.", "0"),
    "backoff": (
        "number or object",
        "Seconds before the first retry, doubled each time; or `initial`, `factor`, `max`.",
        "1, 2, 30",
    ),
    "expect_status": (
        "number, string or list",
        'What is success: `204`, `"2xx"`, `"200-204"`, or a list of these.',
        "2xx, and 207 is a warning",
    ),
    "auth": FIELD_AUTH,
    "name": ("string", "What results and later endpoints call it.", "none"),
    "when": ("string", "Called only if this holds (in a sequence).", "always"),
    "redirects": ("whole number", "How many redirects to follow, each checked anew.", "0"),
}


@dataclass(frozen=True, slots=True)
class Content:
    """A body, and the type that is sent with it unless a header says another."""

    data: bytes
    media_type: str = ""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint that can be called. `shown` is its URL as anybody may see it."""

    target: Target
    method: str
    headers: tuple[tuple[str, str], ...]
    content: Content | None
    timeout_seconds: float
    retries: int
    backoff: Backoff
    expected: Expected | None
    auth: Auth | None
    name: str
    when: Condition | None
    redirects: int
    shown: str


#: Reads an endpoint whose holes are filled: path, value, and who is told of faults.
Complete = Callable[[str, dict[str, Any], Fields], Endpoint | None]


@dataclass(frozen=True, slots=True)
class Sketch:
    """An endpoint with holes in it, which earlier results will fill. `complete` reads it then."""

    raw: dict[str, Any]
    name: str
    when: Condition | None
    shown: str
    complete: Complete = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads endpoints: with these limits, and showing URLs as `show` does."""

    limits: Limits
    show: Callable[[str], str]
    variables: Callable[[str], str | None] = lambda _name: None
    #: endpoints that are URLs and nothing else, and were read before
    known: dict[str, Endpoint] = field(default_factory=dict, repr=False)

    def read(self, where: str, value: Any, fields: Fields) -> Endpoint | Sketch | None:
        """The endpoint that `value` says; None when `fields` was told of a fault."""
        if isinstance(value, str):
            return self._plain(where, value, fields)
        if not isinstance(value, dict):
            fields.refuse(where, value, "a URL, or an object with `url`")
            return None
        if not has_holes({key: each for key, each in value.items() if key != "when"}):
            return self.read_whole(where, value, fields)
        return self._with_holes(where, value, fields)

    def _plain(self, where: str, url: str, fields: Fields) -> Endpoint | Sketch | None:
        known = self.known.get(url)
        if known is not None:
            return known
        if "{{" in url:
            return self._with_holes(where, {"url": url}, fields)
        found = self.read_whole(where, {"url": url}, fields)
        if found is not None:
            if len(self.known) >= _KNOWN_MAX:
                self.known.clear()
            self.known[url] = found
        return found

    def _with_holes(self, where: str, value: dict[str, Any], fields: Fields) -> Sketch | None:
        before = len(fields.faults)
        fields.known(where, value, FIELDS)
        sketch = self._sketch(where, value, fields)
        return sketch if len(fields.faults) == before else None

    def read_whole(self, where: str, value: dict[str, Any], fields: Fields) -> Endpoint | None:
        """The endpoint that `value` says, which has no holes (or whose holes are filled)."""
        before = len(fields.faults)
        fields.known(where, value, FIELDS)
        found = self._endpoint(where, value, fields)
        return found if len(fields.faults) == before else None

    def _sketch(self, where: str, value: dict[str, Any], fields: Fields) -> Sketch:
        try:
            check(value)
        except PathError as error:
            fields.refuse(where, str(error), "a template like {{ results[0].response.id }}")
        name = fields.text(f"{where}.name", value.get("name"), length_max=200)
        shown = self.show(fields.text(f"{where}.url", value.get("url")))
        when = _when(where, value.get("when"), fields)
        return Sketch(value, name, when, shown, self.read_whole)

    def _endpoint(self, where: str, value: dict[str, Any], fields: Fields) -> Endpoint:
        limits = self.limits
        target = _target(f"{where}.url", value.get("url"), fields)
        params = _params(f"{where}.params", value.get("params"), fields)
        headers = _headers(f"{where}.headers", value.get("headers"), fields)
        if target.user and not any(name.lower() == "authorization" for name, _ in headers):
            basic = base64.b64encode(target.user.encode()).decode()
            headers = (*headers, ("Authorization", f"Basic {basic}"))
        return Endpoint(
            target=replace(target.with_params(params), user=""),
            method=_method(f"{where}.method", value.get("method"), fields),
            headers=headers,
            content=_content(where, value, fields),
            timeout_seconds=fields.seconds(
                f"{where}.timeout",
                value.get("timeout"),
                limits.timeout_seconds,
                limits.timeout_seconds_max,
            ),
            retries=fields.whole(
                f"{where}.retries", value.get("retries"), 0, 0, limits.retries_max
            ),
            backoff=_backoff(f"{where}.backoff", value.get("backoff"), fields),
            expected=_expected(f"{where}.expect_status", value.get("expect_status"), fields),
            auth=read_auth(f"{where}.auth", value.get("auth"), fields, self.variables),
            name=fields.text(f"{where}.name", value.get("name"), length_max=200),
            when=_when(where, value.get("when"), fields),
            redirects=fields.whole(
                f"{where}.redirects", value.get("redirects"), 0, 0, limits.redirects_max
            ),
            shown=self.show(str(value.get("url"))),
        )


def content_of(value: Any) -> Content | None:
    """A payload as a body: text as it is, anything else as JSON; None when it is empty."""
    if not value:
        return None
    if isinstance(value, str):
        return Content(value.encode())
    return Content(orjson.dumps(value), "application/json")


def _target(where: str, value: Any, fields: Fields) -> Target:
    try:
        return read_target(fields.text(where, value))
    except TargetError as error:
        fields.refuse(where, value, str(error))
        return Target("http", "invalid", 80, "/")


def _method(where: str, value: Any, fields: Fields) -> str:
    if value is None:
        return "POST"
    if not isinstance(value, str) or value.upper() not in METHODS:
        fields.refuse(where, value, f"one of {', '.join(METHODS)}")
        return "POST"
    return value.upper()


def _headers(where: str, value: Any, fields: Fields) -> tuple[tuple[str, str], ...]:
    found = []
    for name, each in fields.mapping(where, value).items():
        text = str(each) if isinstance(each, int | float) and not isinstance(each, bool) else each
        wrong = name_fault(name)
        if wrong is None and not isinstance(text, str):
            wrong = "a header's value: text or a number"
        wrong = wrong or value_fault(text)
        if wrong:
            # the value may be a secret: only the name is told
            fields.refuse(f"{where}.{name}", name, wrong)
        else:
            found.append((name, text))
    return tuple(found)


def _params(where: str, value: Any, fields: Fields) -> tuple[tuple[str, str], ...]:
    found = []
    for name, each in fields.mapping(where, value).items():
        for item in each if isinstance(each, list) else [each]:
            if isinstance(item, bool):
                found.append((name, "true" if item else "false"))
            elif isinstance(item, str | int | float):
                found.append((name, str(item)))
            elif item is not None:
                fields.refuse(f"{where}.{name}", item, "text, a number, or a list of these")
    return tuple(found)


def _content(where: str, value: dict[str, Any], fields: Fields) -> Content | None:
    if value.get("json") is not None:
        return Content(orjson.dumps(value["json"]), "application/json")
    body = value.get("body")
    if body is None:
        return None
    if isinstance(body, str):
        return Content(body.encode())
    if not isinstance(body, dict | list):
        fields.refuse(f"{where}.body", body, "a string, an object or a list")
    return Content(orjson.dumps(body), "application/json")


def _backoff(where: str, value: Any, fields: Fields) -> Backoff:
    if value is None:
        return Backoff()
    if not isinstance(value, dict):
        return Backoff(initial_seconds=fields.seconds(where, value, 1.0, 300.0))
    fields.known(where, value, ("initial", "factor", "max"))
    return Backoff(
        fields.seconds(f"{where}.initial", value.get("initial"), 1.0, 300.0),
        fields.seconds(f"{where}.factor", value.get("factor"), 2.0, 10.0),
        fields.seconds(f"{where}.max", value.get("max"), 30.0, 300.0),
    )


def _expected(where: str, value: Any, fields: Fields) -> Expected | None:
    if value is None:
        return None
    found = read_expected(value)
    if found is None:
        fields.refuse(where, value, 'a status (204), "2xx", "200-204", or a list of these')
    return found


def _when(where: str, value: Any, fields: Fields) -> Condition | None:
    text = fields.text(f"{where}.when", value, length_max=1000)
    if not text:
        return None
    try:
        return read_condition(text)
    except PathError as error:
        fields.refuse(f"{where}.when", str(error), 'a condition like "results[0].success"')
        return None
