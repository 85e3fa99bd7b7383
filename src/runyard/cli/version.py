"""`runyard version`."""

from __future__ import annotations

import platform

from runyard import __version__
from runyard.cli import output
from runyard.cli.parameters import AsJson


def version(*, json_: AsJson = False) -> None:
    """Print the version."""
    if json_:
        output.document({"version": __version__, "python": platform.python_version()})
    else:
        output.line(f"runyard {__version__}")
