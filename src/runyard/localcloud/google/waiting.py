"""google.longrunning.Operations: get and wait."""

from __future__ import annotations

from runyard.localcloud.google.face import Face, Method, Methods
from runyard.localcloud.google.overrides import duration
from runyard.localcloud.google.requests import Named, WaitOperation
from runyard.localcloud.google.shapes import JsonMap


async def get_operation(face: Face, asked: Named) -> JsonMap:
    """Operations.GetOperation."""
    return await face.operations.get(asked.name)


async def wait_operation(face: Face, asked: WaitOperation) -> JsonMap:
    """Operations.WaitOperation."""
    seconds = duration("timeout", asked.timeout) if asked.timeout else 0.0
    return await face.operations.wait(asked.name, seconds)


_ONE = "projects/*/locations/*/operations/*"
_SERVICE = "google.longrunning.Operations"

METHODS: Methods = (
    Method(
        f"{_SERVICE}/WaitOperation", "POST", f"/v2/{{name={_ONE}}}:wait", WaitOperation,
        wait_operation, body="*",
    ),
    Method(f"{_SERVICE}/GetOperation", "GET", f"/v2/{{name={_ONE}}}", Named, get_operation),
)  # fmt: skip
