"""One finding of `runyard doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Check:
    """`result`: ok; warn: it works, with less; fail: it will not work. `advice` says what to do."""

    name: str
    result: Literal["ok", "warn", "fail"]
    found: str
    advice: str = ""
