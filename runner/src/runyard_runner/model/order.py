"""An order: the body of `/execute`, read. What it does not say comes from the settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from runyard_runner.faults import RequestError
from runyard_runner.model.endpoint import Content, Endpoint, Reader, Sketch, content_of
from runyard_runner.model.fields import Fields, shown

#: Field: (type, meaning, default). The reference of the body is made of this table.
FIELDS: dict[str, tuple[str, str, str]] = {
    "endpoints": ("list", "What to call, instead of what is configured.", "ENDPOINTS"),
    "default_payload": ("any", "Body for every endpoint that has none of its own.", "none"),
    "payload": ("any", "Another name of `default_payload`.", "none"),
    "parallel": ("boolean", "All at once, or one after the other.", "true"),
    "max_workers": ("whole number", "How many are called at once.", "10, or fewer endpoints"),
    "stop_on_error": ("boolean", "In a sequence: skip what comes after a failure.", "false"),
    "send_email": ("boolean", "Mail a report.", "false"),
    "idempotency_key": (
        "string",
        "Not done again where it succeeded before.",
        "Scheduler's job and time",
    ),
    "stream": ("boolean", "Send each result when it is there, then the summary.", "false"),
    "test_mode": ("boolean", "The mail says that this was a test.", "false"),
}
WORKERS_DEFAULT = 10

Planned = Endpoint | Sketch


@dataclass(frozen=True, slots=True)
class Order:
    """What one call of `/execute` asks for."""

    endpoints: tuple[Planned, ...]
    content: Content | None = None
    payload: Any = None
    parallel: bool = True
    max_workers: int = 1
    stop_on_error: bool = False
    send_email: bool = False
    key: str = ""
    stream: bool = False
    test_mode: bool = False

    @property
    def mode(self) -> str:
        """`parallel`, or `sequential` (which one endpoint alone always is)."""
        return "parallel" if self.parallel and len(self.endpoints) > 1 else "sequential"


@dataclass(frozen=True, slots=True)
class Orders:
    """Reads orders: with what is configured, and with what a request may name."""

    reader: Reader
    configured: tuple[Planned, ...]
    #: fills the variables of an endpoint that a request brings
    fill: Callable[[str, Any, Fields], Any]

    def read(self, body: bytes) -> Order:
        """The order that `body` says, under any content type. Raises RequestError."""
        if not body.strip():
            return self.made({})
        try:
            value = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise RequestError(
                f"The body is not JSON: {error}.",
                hint='Send an object like {"parallel": true}, or nothing.',
            ) from None
        if value is None:
            return self.made({})
        if not isinstance(value, dict):
            raise RequestError(f"The body is {shown(value)}, and was expected to be an object.")
        return self.made(value)

    def made(self, value: dict[str, Any]) -> Order:
        """The order that the fields in `value` say. Raises RequestError with every fault."""
        fields = Fields()
        fields.known("", value, FIELDS)
        limits = self.reader.limits
        endpoints = self._endpoints(value.get("endpoints"), fields)
        parallel = fields.flag("parallel", value.get("parallel"), True)
        payload = value.get("default_payload") or value.get("payload")
        order = Order(
            endpoints=endpoints,
            content=content_of(payload),
            payload=payload,
            parallel=parallel,
            max_workers=fields.whole(
                "max_workers",
                value.get("max_workers"),
                max(1, min(WORKERS_DEFAULT, len(endpoints))),
                1,
                limits.workers_max,
            ),
            stop_on_error=fields.flag("stop_on_error", value.get("stop_on_error"), False),
            send_email=fields.flag("send_email", value.get("send_email"), False),
            key=fields.text("idempotency_key", value.get("idempotency_key"), length_max=1000),
            stream=fields.flag("stream", value.get("stream"), False),
            test_mode=fields.flag("test_mode", value.get("test_mode"), False),
        )
        if not fields.faults:
            _fits(order, fields)
        if fields.faults:
            raise faulty(fields)
        return order

    def _endpoints(self, value: Any, fields: Fields) -> tuple[Planned, ...]:
        if value is None:
            return self.configured
        most = self.reader.limits.endpoints_max
        if not isinstance(value, list):
            fields.refuse("endpoints", value, "a list of URLs and objects")
            return ()
        if len(value) > most:
            fields.refuse(
                "endpoints",
                f"{len(value)} endpoints",
                f"a list of at most {most} (ENDPOINTS_MAX); split it into several calls",
            )
            return ()
        return read_endpoints(
            [self.fill(f"endpoints[{n}]", each, fields) for n, each in enumerate(value)],
            self.reader,
            fields,
        )


def read_endpoints(values: Sequence[Any], reader: Reader, fields: Fields) -> tuple[Planned, ...]:
    """The endpoints in a list; `fields` is told of every fault."""
    found = [reader.read(f"endpoints[{n}]", each, fields) for n, each in enumerate(values)]
    return tuple(each for each in found if each is not None)


def faulty(fields: Fields) -> RequestError:
    """The error that tells all the faults."""
    count = len(fields.faults)
    words = "1 fault" if count == 1 else f"{count} faults"
    return RequestError(
        f"The request has {words}, and nothing was called.",
        hint="Mend what is named, and send it again.",
        faults=fields.faults,
    )


def _fits(order: Order, fields: Fields) -> None:
    if not order.parallel:
        return
    for number, each in enumerate(order.endpoints):
        if isinstance(each, Sketch):
            fields.refuse(
                f"endpoints[{number}]",
                "a template of earlier results",
                'possible in parallel: there are none; send "parallel": false',
            )
        elif each.when is not None:
            fields.refuse(
                f"endpoints[{number}].when",
                each.when.text,
                'possible in parallel: nothing comes before; send "parallel": false',
            )
