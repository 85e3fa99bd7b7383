"""What a list can be filtered by is what its guide says."""

from __future__ import annotations

from runyard.flow.filter_fields import JOB_FIELDS, RUN_FIELDS
from tests.support.tree import ROOT


def test_the_guide_names_every_field() -> None:
    guide = (ROOT / "docs" / "guides" / "filters.md").read_text()
    for noun, fields in (("runs", RUN_FIELDS), ("jobs", JOB_FIELDS)):
        named = " ".join(f"`{field}`" for field in fields)
        assert f"| {noun} | {named} |" in guide
