"""Whom TLS trusts: the system's certificates and, if there is one, a file. Read once."""

from __future__ import annotations

import ssl


class Trust:
    """Gives the one TLS context, made when it is first asked for (some 20 ms)."""

    def __init__(self, ca_file: str = "") -> None:
        self._ca_file = ca_file
        self._context: ssl.SSLContext | None = None

    def __call__(self) -> ssl.SSLContext:
        if self._context is None:
            context = ssl.create_default_context()
            if self._ca_file:
                context.load_verify_locations(self._ca_file)
            self._context = context
        return self._context
