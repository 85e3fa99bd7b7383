"""The manifest: what a user writes, from text to validated jobs.

text.py       bytes -> text, and the limits on a text
tree.py       text -> a tree in which every value knows its file, line and column
scalars.py    what a plain scalar means (YAML 1.2, core schema)
merge.py      many files -> one manifest
overrides.py  what an environment changes in a job
defaults.py   `defaults` and the environment -> each job
plain.py      nodes -> plain values
calendars.py  days of the calendars that jobs name; chains.py: jobs that follow jobs
loader.py     all of it in order: `load`
rules*.py     Cloud Run's limits that no single field can say; one idea a file
report.py     where every fault goes
schema.py     the JSON Schema for editors
"""

from runyard.model.environment import Environment
from runyard.model.manifest.loader import Loaded, environments_in, load
from runyard.model.manifest.schema import json_schema
from runyard.model.manifest.text import Source, decoded

__all__ = ["Environment", "Loaded", "Source", "decoded", "environments_in", "json_schema", "load"]
