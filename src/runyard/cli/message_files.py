"""Messages as the API takes them, from arguments and from files of JSON lines."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from runyard.cli.files import read_bytes
from runyard.model.errors import Fault, InvalidSpec
from runyard.model.pubsub.limits import MESSAGES_MAX

FILE_BYTES_MAX = 256 * 1024 * 1024
BATCH_CHARACTERS_MAX = 4 * 1024 * 1024  #: of one request: half of what a server takes by default
FIELDS = ("data", "data_base64", "attributes", "ordering_key")

Message = dict[str, Any]


def message(data: bytes, attributes: Mapping[str, str], ordering_key: str) -> Message:
    """A message as the API takes it."""
    return {
        "data_base64": base64.b64encode(data).decode(),
        "attributes": dict(attributes),
        "ordering_key": ordering_key,
    }


def read_lines(path: Path) -> list[Message]:
    """The messages in a file, one JSON object a line; empty lines are passed over.

    Raises InvalidSpec that names every line that is none.
    """
    found, faults = list[Message](), list[Fault]()
    for number, line in enumerate(read_bytes(path, FILE_BYTES_MAX).splitlines(), 1):
        if not line.strip():
            continue
        try:
            found.append(_read(line))
        except ValueError as error:
            faults.append(Fault("line", "", str(error), file=str(path), line=number, column=1))
    if faults:
        raise InvalidSpec(f"{path} is no file of messages", faults=tuple(faults[:20]))
    if not found:
        fault = Fault(str(path), "empty", "a JSON object a line")
        raise InvalidSpec(f"{path} has no message", faults=(fault,))
    return found


def batches(messages: Iterable[Message]) -> Iterator[list[Message]]:
    """As few requests as the server takes, in order."""
    batch, size = list[Message](), 0
    for one in messages:
        length = len(json.dumps(one))
        if batch and (len(batch) == MESSAGES_MAX or size + length > BATCH_CHARACTERS_MAX):
            yield batch
            batch, size = [], 0
        batch.append(one)
        size += length
    yield batch


def _read(line: bytes) -> Message:
    """Raises ValueError with what was expected."""
    try:
        given = json.loads(line)
    except ValueError:
        raise ValueError("a JSON object") from None
    if not isinstance(given, dict):
        raise ValueError("a JSON object")
    if unknown := sorted(given.keys() - set(FIELDS)):
        raise ValueError(f"one of {', '.join(FIELDS)}, not {unknown[0]}")
    if "data" in given and "data_base64" in given:
        raise ValueError("data or data_base64, not both")
    if "data" in given:
        given["data_base64"] = base64.b64encode(_data(given.pop("data"))).decode()
    return given


def _data(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
