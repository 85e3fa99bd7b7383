"""`runyard config`: every setting in force."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from cyclopts import Parameter

from runyard.cli import output
from runyard.cli.parameters import AsJson
from runyard.cli.surroundings import settings
from runyard.cli.tables import table


def config(
    *,
    explain: Annotated[
        bool, Parameter(help="Say what each setting means, and its default.")
    ] = False,
    json_: AsJson = False,
) -> None:
    """Show every setting and where its value is from.

    A setting is changed by its environment variable, or in the file `config.toml` in the state
    folder (or the one that RUNYARD_CONFIG names).
    """
    rows = settings().rows()
    if json_:
        output.document({"settings": [asdict(row) for row in rows]})
    elif explain:
        table(
            ("variable", "meaning", "unit", "default"),
            ((row.env, row.meaning, row.unit, row.default) for row in rows),
        )
    else:
        table(
            ("setting", "value", "source", "variable"),
            ((row.name, row.value, row.source, row.env) for row in rows),
        )
