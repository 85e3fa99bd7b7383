"""Amounts of CPU and memory as Kubernetes writes them, which is how Cloud Run reads them.

https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, Decimal

KIB, MIB, GIB = 2**10, 2**20, 2**30

_SUFFIXES = {
    "": 1,
    "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15, "E": 10**18,
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "Ei": 2**60,
}  # fmt: skip
_MEMORY = re.compile(r"([0-9]{1,19}(?:\.[0-9]{1,9})?)([kMGTPE]|[KMGTPE]i)?")
_CPU = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(m)?")
MEMORY_EXPECTED = "an amount of memory such as 512Mi or 2Gi"
_MONEY = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?) USD")
MONEY_EXPECTED = "an amount of money such as 20 USD or 0.25 USD"
CPU_EXPECTED = "a number of CPUs such as 1, 2 or 1000m"


def memory_bytes_of(text: str) -> int:
    """Bytes in `text`, rounded up. Raises ValueError when it is not an amount of memory."""
    match = _MEMORY.fullmatch(text)
    if match is None:
        raise ValueError(MEMORY_EXPECTED)
    number, suffix = match.groups(default="")
    return int((Decimal(number) * _SUFFIXES[suffix]).to_integral_value(ROUND_CEILING))


def vcpu_milli_of(text: str) -> int:
    """Thousandths of a CPU in `text`, rounded up. Raises ValueError when it is no such amount."""
    match = _CPU.fullmatch(text)
    if match is None:
        raise ValueError(CPU_EXPECTED)
    number, milli = match.groups(default="")
    return int((Decimal(number) * (1 if milli else 1000)).to_integral_value(ROUND_CEILING))


def nano_dollars_of(text: str) -> int:
    """Nano-dollars in `text`. Raises ValueError when it is no amount of US dollars."""
    match = _MONEY.fullmatch(text)
    if match is None:
        raise ValueError(MONEY_EXPECTED)
    return int(Decimal(match[1]) * 10**9)
