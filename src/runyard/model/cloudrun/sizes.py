"""What CPUs and memory go together in an instance of Cloud Run.

https://cloud.google.com/run/docs/configuring/jobs/memory-limits. Beside the rules of the manifest,
since whoever makes a task larger asks for it too, and does not read manifests.
"""

from __future__ import annotations

from runyard.model.quantities import GIB, MIB

#: CPUs of an instance: (least, most) memory.
PAIRS = {
    1: (128 * MIB, 4 * GIB),
    2: (128 * MIB, 8 * GIB),
    4: (2 * GIB, 16 * GIB),
    6: (4 * GIB, 24 * GIB),
    8: (4 * GIB, 32 * GIB),
}
