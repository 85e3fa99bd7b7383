"""`runyard schema`: what a manifest may hold, for editors and other tools."""

from __future__ import annotations

from runyard.cli import output
from runyard.model import manifest


def schema() -> None:
    """Print the JSON Schema of the manifest, for editors.

    With `# yaml-language-server: $schema=./runyard.schema.json` as the first line of a manifest,
    an editor completes and checks it.
    """
    output.document(manifest.json_schema())
