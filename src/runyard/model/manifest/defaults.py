"""From `defaults` and the environment to each job.

One rule: mappings are merged key by key, and where both say something the job wins; lists and
single values are taken whole from the job, or else from the defaults. So a job that lists its
containers has its own containers and nothing of the defaults' ones.
Regions: the job's own, else the environment's, else the defaults', else us-central1.
"""

from __future__ import annotations

from collections.abc import Sequence

from runyard.model.errors import Fault
from runyard.model.manifest.merge import Entry
from runyard.model.manifest.report import Report
from runyard.model.manifest.tree import Node
from runyard.model.validation import did_you_mean, dotted, one_of

KEYS = (
    "labels", "annotations", "regions", "placement", "retry", "concurrency", "deadline",
    "priority", "triggers", "needs", "recovery", "failures", "ignore_drift", "template",
)  # fmt: skip


def check_keys(defaults: Entry, report: Report) -> None:
    """A fault for every key that defaults cannot have."""
    entries = defaults.node.value
    for key in entries if isinstance(entries, dict) else ():
        if key not in KEYS:
            hint = did_you_mean(key, KEYS)
            place = defaults.node.keys[key]
            report.fault(Fault(dotted(("defaults", key)), "", one_of(KEYS), hint, *place))


def with_defaults(job: Node, defaults: Node | None) -> Node:
    """`job` with everything that it does not say itself taken from `defaults`."""
    if defaults is None or not isinstance(job.value, dict):
        return job
    known = {k: v for k, v in _entries(defaults).items() if k in KEYS}
    return _merged(job, Node(known, defaults.place, keys=defaults.keys))


def with_regions(job: Node, regions: Sequence[str]) -> Node:
    """`job` with the environment's regions, if it has any, where the job names none itself."""
    if not regions or not isinstance(job.value, dict) or "regions" in job.value:
        return job
    listed = Node([Node(region, job.place) for region in regions], job.place)
    entries = job.value | {"regions": listed}
    return Node(entries, job.place, keys=job.keys | {"regions": job.place})


def _merged(job: Node, defaults: Node) -> Node:
    ours, theirs = job.value, defaults.value
    if not isinstance(ours, dict) or not isinstance(theirs, dict):
        return job
    merged = {
        key: _merged(node, theirs[key]) if key in theirs else node for key, node in ours.items()
    }
    merged |= {key: node for key, node in theirs.items() if key not in ours}
    return Node(merged, job.place, keys=defaults.keys | job.keys)


def _entries(node: Node) -> dict[str, Node]:
    return node.value if isinstance(node.value, dict) else {}
