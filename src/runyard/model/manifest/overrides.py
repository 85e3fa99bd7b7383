"""What an environment changes in a job: `environments.ENV.jobs.JOB`, laid over the job.

The rule is that of `defaults`, the other way round: mappings are merged key by key and the override
wins; single values are replaced. Lists of things with names (containers, variables, volumes) are
merged by name, so that one variable can be changed without saying all others again; an item without
a name is merged with the only one that is there. Other lists are replaced, and an empty one always
replaces: nothing of the list is left then.
"""

from __future__ import annotations

from runyard.model.errors import Fault
from runyard.model.manifest.merge import Entry, Manifest
from runyard.model.manifest.report import Report
from runyard.model.manifest.tree import Node, seen
from runyard.model.validation import did_you_mean, dotted, one_of

KEY = "jobs"  #: of an environment


def of(manifest: Manifest, environment: str) -> dict[str, Node]:
    """The overrides of an environment, by job."""
    entry = manifest.environments.get(environment)
    return _entries(_entries(entry.node).get(KEY)) if entry else {}


def without(environment: Entry) -> Entry:
    """The environment itself, without what it changes in jobs."""
    node = environment.node
    if KEY not in _entries(node):
        return environment
    kept = {key: value for key, value in _entries(node).items() if key != KEY}
    return Entry(Node(kept, node.place, keys=node.keys), environment.place)


def check(manifest: Manifest, report: Report) -> None:
    """A fault for overrides that are no mapping, and for each job that there is not."""
    for environment, entry in manifest.environments.items():
        node = _entries(entry.node).get(KEY)
        if node is None:
            continue
        path = ("environments", environment, KEY)
        if not isinstance(node.value, dict):
            expected = "a mapping of jobs to what is different in them"
            report.fault(Fault(dotted(path), seen(node), expected, "", *node.place))
            continue
        for name, override in node.value.items():
            _check(manifest, (*path, name), override, Entry(override, node.keys[name]), report)


def _check(
    manifest: Manifest, path: tuple[str, ...], override: Node, entry: Entry, report: Report
) -> None:
    if path[-1] not in manifest.jobs:
        hint = did_you_mean(path[-1], manifest.jobs)
        expected = f"a job of the manifest: {one_of(manifest.jobs)}"
        report.fault(Fault(dotted(path), "", expected, hint, *entry.place))
    elif not isinstance(override.value, dict):
        expected = "a mapping of what is different in the job"
        report.fault(Fault(dotted(path), seen(override), expected, "", *override.place))


def over(job: Node, override: Node | None) -> Node:
    """`job` with what `override` says."""
    if override is None:
        return job
    ours, theirs = override.value, job.value
    if isinstance(ours, dict) and isinstance(theirs, dict):
        merged = theirs | {
            key: over(theirs[key], node) if key in theirs else node for key, node in ours.items()
        }
        return Node(merged, job.place, keys=job.keys | override.keys)
    if isinstance(ours, list) and isinstance(theirs, list) and _are_items(ours, theirs):
        return Node(_items(theirs, ours), override.place)
    return override


def _are_items(ours: list[Node], theirs: list[Node]) -> bool:
    """True when each item can be told apart: by its name, or as the only one."""
    if not all(isinstance(node.value, dict) for node in (*ours, *theirs)) or not (ours and theirs):
        return False
    names = [_name(node) for node in theirs]
    if all(_name(node) for node in ours):
        return all(names) or (len(theirs) == 1 == len(ours))
    return len(theirs) == 1 == len(ours)


def _items(theirs: list[Node], ours: list[Node]) -> list[Node]:
    if len(theirs) == 1 == len(ours) and not (_name(theirs[0]) and _name(ours[0])):
        return [over(theirs[0], ours[0])]
    by_name = {_name(node): node for node in ours}
    merged = [over(node, by_name.pop(_name(node), None)) for node in theirs]
    return [*merged, *by_name.values()]


def _name(node: Node) -> str:
    name = _entries(node).get("name")
    return name.value if name is not None and isinstance(name.value, str) else ""


def _entries(node: Node | None) -> dict[str, Node]:
    return node.value if node is not None and isinstance(node.value, dict) else {}
