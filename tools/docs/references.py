"""Names of things in the code, as documents write them: `runyard.flow.lifecycle:decide`."""

from __future__ import annotations

import re
from functools import reduce
from importlib import import_module

REFERENCE = re.compile(r"`(runyard(?:\.\w+)*):(\w+(?:\.\w+)*)`")


def exists(reference: str) -> bool:
    """True when there is such a module with such a name in it."""
    module, _, names = reference.partition(":")
    try:
        reduce(getattr, names.split("."), import_module(module))
    except (ImportError, AttributeError):
        return False
    return True


def references(text: str) -> list[str]:
    """Every reference in a document, in order."""
    return [f"{module}:{names}" for module, names in REFERENCE.findall(text)]
