"""The collector of cycles rests while a server is imported, and works once it serves."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """\
import gc
import runyard.cli.serve
from runyard.process import settle_memory
print(gc.isenabled(), gc.get_freeze_count())
settle_memory()
print(gc.isenabled(), gc.get_freeze_count() > 100_000)
"""


def test_the_collector_rests_until_all_is_imported() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=True)
    assert done.stdout.split() == [b"False", b"0", b"True", b"True"]
