"""Command lines as the user nobody, also where the interpreter is in a folder of root's."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

# In a mount namespace of its own: what is closed is covered, and the interpreter put back into it.
_OPEN = """set -e
closed=$1 base=$2 held=$(mktemp -d); shift 2
mount --bind "$base" "$held"
mount -t tmpfs -o mode=755 tmpfs "$closed"
mkdir -p "$base"
mount --bind "$held" "$base"
umount "$held"; rmdir "$held"
exec "$@"
"""
_AS_NOBODY = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups")


def as_nobody(words: Sequence[str]) -> list[str]:
    """`words` as nobody's command. Skips the test where this user cannot become nobody."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("only root may become nobody")
    base = Path(sys.base_prefix)
    closed = [path for path in (*reversed(base.parents), base) if not path.stat().st_mode & 0o001]
    if not closed:
        return [*_AS_NOBODY, *words]
    if not shutil.which("unshare"):
        pytest.skip("nobody may not run this interpreter")
    apart = ["unshare", "--mount", "--propagation", "private", "sh", "-c", _OPEN, "sh"]
    return [*apart, str(closed[0]), str(base), *_AS_NOBODY, *words]
