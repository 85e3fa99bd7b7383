"""Probes: how a container is asked whether it has started, lives, is ready.

Ranges: the API's descriptions of Probe. What differs between a startup and a liveness probe is
in `manifest/rules_probes.py`.
"""

from __future__ import annotations

from typing import Annotated

from runyard.model.cloudrun.words import Port
from runyard.model.forms import Between, Shaped
from runyard.model.strict import Message

SECONDS_MAX = 3600


class HttpHeader(Message):
    """A header of a probe's request."""

    name: Annotated[str, Shaped("[!#$%&'*+.^_`|~0-9A-Za-z-]+", "an HTTP header's name", 256)]
    value: str = ""


class HttpGetAction(Message):
    """Ask by HTTP/1 GET."""

    path: str = ""
    http_headers: tuple[HttpHeader, ...] = ()
    port: Port | None = None


class TcpSocketAction(Message):
    """Ask by opening a connection."""

    port: Port | None = None


class GrpcAction(Message):
    """Ask by gRPC's health checking protocol."""

    port: Port | None = None
    service: str = ""


class Probe(Message):
    """One probe; exactly one of `httpGet`, `tcpSocket`, `grpc`."""

    initial_delay_seconds: Annotated[int, Between(0, SECONDS_MAX)] = 0
    timeout_seconds: Annotated[int, Between(1, SECONDS_MAX)] = 1
    period_seconds: Annotated[int, Between(1, SECONDS_MAX)] = 10
    failure_threshold: Annotated[int, Between(1, 2**31 - 1)] = 3
    http_get: HttpGetAction | None = None
    tcp_socket: TcpSocketAction | None = None
    grpc: GrpcAction | None = None
