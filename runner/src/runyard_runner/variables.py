"""`${NAME}` in endpoints: which variables may be named by whom, and which values are secrets.

ENDPOINTS may name any variable. An endpoint that a request brings may name only those that
REQUEST_VARIABLES lists: else whoever may call could have every secret sent to a host of theirs.
What is filled in is a secret from then on, but for parts of URLs whose variable does not sound
like one: those tell where is called.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from runyard_runner.model.fields import Fields
from runyard_runner.rules.masking import Mask, sounds_secret
from runyard_runner.rules.templates import fill


@dataclass(frozen=True, slots=True)
class Variables:
    """Fills variables in. `allowed` None: all that are set may be named."""

    values: Mapping[str, str]
    mask: Mask
    allowed: Collection[str] | None = None

    def secret(self, name: str) -> str | None:
        """The value of a variable that may be named; nobody sees it from now on."""
        if self.allowed is not None and name not in self.allowed:
            return None
        value = self.values.get(name)
        if value is not None:
            self.mask.add(value)
        return value

    def fill(self, where: str, value: Any, fields: Fields) -> Any:
        """An endpoint with its variables filled in; `fields` is told what is missing."""
        if isinstance(value, str):
            return self._filled(where, value, fields, in_url=True)
        if not isinstance(value, dict):
            return value
        return {
            name: self._filled(f"{where}.{name}", part, fields, in_url=name == "url")
            for name, part in value.items()
        }

    def _filled(self, where: str, value: Any, fields: Fields, in_url: bool) -> Any:
        def lookup(name: str) -> str:
            plain = in_url and not sounds_secret(name)
            found = self._plain(name) if plain else self.secret(name)
            if found is None:
                fields.refuse(where, f"${{{name}}}", self._expected(name))
                return ""
            return found

        return fill(value, lookup)

    def _plain(self, name: str) -> str | None:
        allowed = self.allowed is None or name in self.allowed
        return self.values.get(name) if allowed else None

    def _expected(self, name: str) -> str:
        if self.allowed is not None and name not in self.allowed:
            return "a variable that a request may name (REQUEST_VARIABLES lists them)"
        return f"a variable that is set; set {name}"
