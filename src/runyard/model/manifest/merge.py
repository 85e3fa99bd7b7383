"""From many files to one manifest. `project`, `defaults` and `environments` count for all files."""

from __future__ import annotations

from dataclasses import dataclass, field

from runyard.model.errors import Fault
from runyard.model.manifest.report import Report
from runyard.model.manifest.tree import Node, Place, seen
from runyard.model.validation import ROOT, did_you_mean, dotted, one_of

KEYS = ("project", "defaults", "jobs", "environments", "calendars")
SCHEMA_KEY = "$schema"  #: where a JSON file names its schema for editors; it says nothing to us
#: Jobs, environments and calendars, each, of a manifest. Google's default is 1,000 jobs in a
#: project and region.
NAMES_MAX = 2000
#: A key of this kind holds what is only there to be used by aliases, as in Compose files.
EXTENSION = "x-"


@dataclass(slots=True)
class Entry:
    """A job, an environment or a calendar: the node, and where its name stands."""

    node: Node
    place: Place


@dataclass(slots=True)
class Manifest:
    """All files together."""

    project: Entry | None = None
    defaults: Entry | None = None
    jobs: dict[str, Entry] = field(default_factory=dict)
    environments: dict[str, Entry] = field(default_factory=dict)
    calendars: dict[str, Entry] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)  #: those that some file has, whatever they hold


def merge(roots: list[Node], report: Report) -> Manifest:
    """The manifest that the files of `roots` make together."""
    manifest = Manifest()
    for root in roots:
        if not isinstance(root.value, dict):
            expected = "a mapping with project and jobs"
            report.fault(Fault(ROOT, seen(root), expected, "", *root.place))
            continue
        for key, node in root.value.items():
            _take(manifest, key, Entry(node, root.keys[key]), report)
    return manifest


def _take(manifest: Manifest, key: str, entry: Entry, report: Report) -> None:
    if key.startswith(EXTENSION) or key == SCHEMA_KEY:
        return
    manifest.keys.add(key)
    if key not in KEYS:
        hint = did_you_mean(key, KEYS) or f"keys that begin with {EXTENSION} are free"
        report.fault(Fault(dotted((key,)), "", one_of(KEYS), hint, *entry.place))
    elif entry.node.value is None:
        _nothing(key, entry, report)
    elif key == "project":
        _project(manifest, entry, report)
    elif key == "defaults":
        _defaults(manifest, entry, report)
    else:
        known = {
            "jobs": manifest.jobs,
            "environments": manifest.environments,
            "calendars": manifest.calendars,
        }
        _named(key, known[key], entry, report)


def _project(manifest: Manifest, entry: Entry, report: Report) -> None:
    first = manifest.project
    if first is None:
        manifest.project = entry
    elif first.node.value != entry.node.value:
        where = _where(first.node.place)
        expected = f"the same project in every file; {where} says {seen(first.node)}"
        report.fault(Fault("project", seen(entry.node), expected, "", *entry.node.place))


def _defaults(manifest: Manifest, entry: Entry, report: Report) -> None:
    if manifest.defaults is not None:
        expected = f"defaults in one file only; they stand at {_where(manifest.defaults.place)} too"
        hint = "defaults count for the jobs of all files: merge the two"
        report.fault(Fault("defaults", "", expected, hint, *entry.place))
    elif not isinstance(entry.node.value, dict):
        report.fault(
            Fault("defaults", seen(entry.node), "a mapping", "", *entry.node.place),
        )
    else:
        manifest.defaults = entry


def _named(kind: str, known: dict[str, Entry], entry: Entry, report: Report) -> None:
    one = kind.removesuffix("s")
    if not isinstance(entry.node.value, dict):
        expected = f"a mapping of names to {kind}"
        report.fault(Fault(kind, seen(entry.node), expected, "", *entry.node.place))
        return
    for name, node in entry.node.value.items():
        if len(known) >= NAMES_MAX:
            place, expected = entry.node.keys[name], f"at most {NAMES_MAX} {kind} in a manifest"
            report.fault(Fault(dotted((kind, name)), "", expected, "split it", *place))
            return
        place = entry.node.keys[name]
        path = dotted((kind, name))
        if name in known:
            expected = f"each {one} once; it stands at {_where(known[name].place)} too"
            report.fault(Fault(path, "", expected, "rename or remove one of them", *place))
        elif node.value is None:
            _nothing(path, Entry(node, place), report)
        else:
            known[name] = Entry(node, place)


def _nothing(path: str, entry: Entry, report: Report) -> None:
    hint = "give it a value, or remove it"
    report.fault(Fault(path, "nothing", "a value", hint, *entry.node.place))


def _where(place: Place) -> str:
    return f"{place.file}:{place.line}:{place.column}"
