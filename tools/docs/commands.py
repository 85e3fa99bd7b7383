"""docs/reference/cli.md, from the commands themselves."""

from __future__ import annotations

import sys

from runyard.cli.main import app
from tools.docs.markdown import page


def commands_page() -> str:
    """Every command with its arguments, as its own help has them."""
    # cyclopts names the running program in the usage of some commands; here it is not `runyard`.
    running, sys.argv = sys.argv, ["runyard"]
    try:
        _, _, described = app.generate_docs().partition("\n")
    finally:
        sys.argv = running
    lines = [line.rstrip() for line in described.strip().splitlines()]
    return page("The command line", "\n".join(lines))
