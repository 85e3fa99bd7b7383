"""The manifest: what a user writes, from text to validated jobs.

text.py       bytes -> text, and the limits on a text
tree.py       text -> a tree in which every value knows its file, line and column
scalars.py    what a plain scalar means (YAML 1.2, core schema)
merge.py      many files -> one manifest
defaults.py   `defaults` and the environment -> each job
loader.py     all of it in order: `load`
rules*.py     Cloud Run's limits that no single field can say; one idea a file
report.py     where every fault goes
schema.py     the JSON Schema for editors
"""

from runyard.model.manifest.environments import Environment
from runyard.model.manifest.loader import Loaded, load
from runyard.model.manifest.schema import json_schema
from runyard.model.manifest.text import Source, decoded

__all__ = ["Environment", "Loaded", "Source", "decoded", "json_schema", "load"]
