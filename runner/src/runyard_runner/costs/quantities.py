"""Amounts as people write them: `1.5s`, `2m`, `512Mi`, `60MB`, `500m` of a vCPU. Exact."""

from __future__ import annotations

import re
from fractions import Fraction

_NUMBER = r"[0-9]{1,9}(?:\.[0-9]{1,9})?"
_SPAN = re.compile(rf"({_NUMBER})(ms|s|m|h)?")
_SIZE = re.compile(rf"({_NUMBER})(k|M|G|Ki|Mi|Gi|kB|MB|GB|KiB|MiB|GiB)?")
_VCPU = re.compile(rf"({_NUMBER})(m)?")
_SECONDS = {"ms": Fraction(1, 1000), "s": Fraction(1), "m": Fraction(60), "h": Fraction(3600)}
_BYTES = {"k": 1000, "M": 1000**2, "G": 1000**3, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}


def seconds_of(text: str) -> Fraction:
    """Seconds in `text`. Raises ValueError with what was expected."""
    match = _SPAN.fullmatch(text)
    if match is None:
        raise ValueError("a time such as 300ms, 2s, 1.5m or 1h")
    return Fraction(match[1]) * _SECONDS[match[2] or "s"]


def bytes_of(text: str) -> int:
    """Bytes in `text`. Raises ValueError with what was expected."""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError("a size such as 512Mi, 1Gi or 60MB")
    unit = (match[2] or "").removesuffix("B")
    return int(Fraction(match[1]) * _BYTES.get(unit, 1))


def vcpu_of(text: str) -> Fraction:
    """vCPU in `text`. Raises ValueError with what was expected."""
    match = _VCPU.fullmatch(text)
    if match is None:
        raise ValueError("vCPU such as 1, 0.5 or 500m")
    return Fraction(match[1]) / (1000 if match[2] else 1)
