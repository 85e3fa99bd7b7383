"""docs/reference/cli.md, from the commands themselves."""

from __future__ import annotations

from runyard.cli.main import app
from tools.docs.markdown import page


def commands_page() -> str:
    """Every command with its arguments, as its own help has them."""
    _, _, described = app.generate_docs().partition("\n")
    lines = [line.rstrip() for line in described.strip().splitlines()]
    return page("The command line", "\n".join(lines))
