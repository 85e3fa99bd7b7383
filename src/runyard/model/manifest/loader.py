"""From sources to jobs: parse, merge, fill in, validate. Every fault of every file at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from pydantic import TypeAdapter, ValidationError

from runyard.model.environment import LOCAL, Environment, ProviderName
from runyard.model.errors import Fault, InvalidSpec
from runyard.model.executors import differences, expected
from runyard.model.job import EnvironmentName, JobSpec, ProjectName
from runyard.model.manifest import overrides
from runyard.model.manifest.calendars import calendars_of, standing_alone
from runyard.model.manifest.chains import check_chains
from runyard.model.manifest.defaults import check_keys, with_defaults, with_regions
from runyard.model.manifest.merge import Entry, Manifest, merge
from runyard.model.manifest.plain import mapping_of
from runyard.model.manifest.provided import check_provided
from runyard.model.manifest.report import Part, Report
from runyard.model.manifest.rules import check_job
from runyard.model.manifest.text import Source, check_size
from runyard.model.manifest.tree import Node, is_refused, parse, seen
from runyard.model.manifest.view import JobView
from runyard.model.validation import (
    ROOT,
    Complaint,
    did_you_mean,
    dotted,
    one_of,
    read,
    shown,
)
from runyard.model.zones import ANY_ZONE, ZoneBook

#: What is known and not there yet: said, never ignored.
LATER = {
    "budget": "`deadline` and `retry` bound a run; budgets come in a later version",
}
#: What the manifest says elsewhere and must not say again inside a job.
ELSEWHERE = {"name": "the key under `jobs`", "project": "`project` at the top of the file"}
Advise = Callable[[JobSpec], Iterable[Complaint]]
_PROJECT = TypeAdapter[str](ProjectName)
_ENVIRONMENT = TypeAdapter[str](EnvironmentName)
_UNKNOWN = "unknown"  #: stands for a project whose fault is told, so that jobs can be checked


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a manifest says. `warnings` are faults that forbid nothing."""

    jobs: tuple[JobSpec, ...]
    project: str
    environments: Mapping[str, Environment] = field(default_factory=dict)
    warnings: tuple[Fault, ...] = ()


def load(
    sources: Sequence[Source],
    *,
    environment: str = LOCAL,
    executor: str | None = None,
    regions: Sequence[str] = (),
    known: Mapping[str, Environment] = MappingProxyType({}),
    zones: ZoneBook = ANY_ZONE,
    advise: Advise | None = None,
) -> Loaded:
    """The jobs of `sources`, as `environment` has them. What the manifest does not say of the
    environment itself, `known` does, by project.

    `executor` and `regions` are this machine's, and count unless the environment is elsewhere: what
    the executor does not keep of a job is among the warnings, with its place; the regions are all
    there are, and the first is for jobs that name none. `zones` are this machine's too. What
    `advise` has to say of a job is among the warnings, with its place.

    Raises InvalidSpec with every fault of every file, each with file, line and column (from 1),
    and nothing else, whatever the texts are. Time is bounded by `text.CHARACTERS_MAX` and
    `tree.NODES_MAX`.
    """
    check_size(sources)
    report = Report()
    roots = [root for source in sources if (root := _root(source, report)) is not None]
    manifest = merge(roots, report)
    if len(roots) == len(sources):
        _check_top(manifest, sources, report)
    if manifest.defaults is not None:
        check_keys(manifest.defaults, report)
    overrides.check(manifest, report)
    environments = _environments(manifest, environment, report, known)
    project = _project(manifest, report)
    bound = environments.get(environment) or known.get(project)
    if bound is not None and bound.provider is not ProviderName.LOCAL:
        executor, regions = None, ()
    changes = overrides.of(manifest, environment)
    calendars = calendars_of(manifest, report)
    jobs: list[tuple[JobSpec, Part]] = []
    for name, raw in manifest.jobs.items():
        entry = _filled(raw, changes.get(name), manifest.defaults, bound)
        part = Part(report, ("jobs", name), entry.node, entry.place)
        if (job := _job(name, entry.node, project, part, regions, zones)) is not None:
            jobs.append((standing_alone(job, calendars, part), part))
            _warn(part, job, executor, advise)
    check_chains(jobs)
    if bound is not None:
        check_provided(jobs, bound.provider)
    report.raise_faults([source.name for source in sources])
    return Loaded(tuple(job for job, _ in jobs), project, environments, tuple(report.warnings))


def _root(source: Source, report: Report) -> Node | None:
    faults: list[Fault] = []
    root = parse(source, faults)
    for fault in faults:
        report.fault(fault)
    if not faults and (root is None or root.value is None):
        expected = "a mapping with project and jobs"
        report.fault(Fault(ROOT, "an empty file", expected, "", source.name, 1, 1))
        return None
    return root


def _check_top(manifest: Manifest, sources: Sequence[Source], report: Report) -> None:
    if not sources:
        raise InvalidSpec("no manifest", hint="name a file or a folder with .yaml or .json files")
    first = sources[0].name
    if "project" not in manifest.keys:
        hint = "write `project: NAME` at the top"
        report.fault(Fault("project", "", "a value, which is required", hint, first, 1, 1))
    if not manifest.jobs and not report.faults:
        report.fault(Fault("jobs", "", "at least one job", "", first, 1, 1))


def _project(manifest: Manifest, report: Report) -> str:
    if manifest.project is None:
        return _UNKNOWN
    node = manifest.project.node
    try:
        return _PROJECT.validate_python(node.value, strict=True)
    except ValidationError as fault:
        if not is_refused(node):
            expected = fault.errors()[0].get("ctx", {}).get("expected", "a text")
            report.fault(Fault("project", seen(node), expected, "", *node.place))
        return _UNKNOWN


def environments_in(sources: Sequence[Source]) -> Loaded:
    """The project and the environments of `sources`, which may have no jobs.

    Raises InvalidSpec with every fault.
    """
    check_size(sources)
    report = Report()
    roots = [root for source in sources if (root := _root(source, report)) is not None]
    manifest = merge(roots, report)
    first = sources[0].name if sources else ""
    for key in ("project", "environments"):
        if key not in manifest.keys and not report.faults:
            report.fault(Fault(key, "", "a value, which is required", "", first, 1, 1))
    found = _environments(manifest, LOCAL, report, {})
    project = _project(manifest, report)
    report.raise_faults([source.name for source in sources])
    return Loaded((), project, found, tuple(report.warnings))


def _environments(
    manifest: Manifest, wanted: str, report: Report, stored: Mapping[str, Environment]
) -> dict[str, Environment]:
    found = {
        name: one
        for name, entry in manifest.environments.items()
        if (one := _environment(name, overrides.without(entry), report)) is not None
    }
    known = {LOCAL: None, **manifest.environments}
    if wanted not in known and manifest.environments and not stored:
        hint = did_you_mean(wanted, known)
        report.fault(Fault("environment", shown(wanted), one_of(known), hint))
    elif (words := _environment_words(wanted)) is not None:
        report.fault(Fault("environment", shown(wanted), words))
    return found


def _environment(name: str, entry: Entry, report: Report) -> Environment | None:
    part = Part(report, ("environments", name), entry.node, entry.place)
    if (words := _environment_words(name)) is not None:
        report.fault(Fault(dotted(("environments", name)), "", words, "", *entry.place))
    if not isinstance(entry.node.value, dict):
        part.fault((), "a mapping")
        return None
    environment, complaints = read(Environment, mapping_of(entry.node, part))
    for complaint in complaints:
        part.complain(complaint)
    if environment and environment.provider is ProviderName.GCP and not environment.google_project:
        part.fault(("googleProject",), "a value, which the provider gcp requires")
    if name == LOCAL and environment and environment.provider is not ProviderName.LOCAL:
        part.fault(("provider",), f"{LOCAL}: the environment of this name is this machine")
    return environment


def _environment_words(name: str) -> str | None:
    try:
        _ENVIRONMENT.validate_python(name)
    except ValidationError as fault:
        expected: str = fault.errors()[0]["ctx"]["expected"]
        return expected
    return None


def _filled(
    entry: Entry, override: Node | None, defaults: Entry | None, bound: Environment | None
) -> Entry:
    node = with_regions(overrides.over(entry.node, override), bound.regions if bound else ())
    return Entry(with_defaults(node, defaults.node if defaults else None), entry.place)


def _warn(part: Part, job: JobSpec, executor: str | None, advise: Advise | None) -> None:
    if executor is not None:
        for one in differences(job, executor):
            part.warn(("template", *one.path), expected(one, executor), one.instead)
    for advice in advise(job) if advise is not None else ():
        part.warn(advice.path, advice.expected, advice.hint)


def _job(
    name: str, node: Node, project: str, part: Part, regions: Sequence[str], zones: ZoneBook
) -> JobSpec | None:
    if not isinstance(node.value, dict):
        part.fault((), "a mapping with template")
        return None
    data = mapping_of(node, part)
    for key in LATER.keys() & data.keys():
        del data[key]
        part.fault((key,), "nothing: not supported yet in this version", LATER[key], about_key=True)
    for key in ELSEWHERE.keys() & data.keys():
        part.fault((key,), f"nothing: this is said by {ELSEWHERE[key]}", about_key=True)
    data |= {"name": name, "project": project}
    if regions:
        data.setdefault("regions", [regions[0]])
    spec, complaints = read(JobSpec, data)
    for complaint in complaints:
        _complain(part, complaint, name)
    check_job(JobView(data, part, zones))
    if spec is not None and regions:
        _check_regions(spec, regions, part)
    return spec


def _check_regions(spec: JobSpec, regions: Sequence[str], part: Part) -> None:
    for number, region in enumerate(spec.regions):
        if region not in regions:
            words = f"{one_of(regions)}: the regions that this environment has"
            part.fault(("regions", number), words, did_you_mean(region, regions))


def _complain(part: Part, complaint: Complaint, name: str) -> None:
    if complaint.path == ("name",):
        hint = _name_hint(name)
        part.fault((), complaint.expected, hint, about_key=True)
    else:
        part.complain(complaint)


def _name_hint(name: str) -> str:
    """The hint with the job name nearest to `name`, or an empty text when there is none."""
    letters = "".join(c if c.isascii() and c.isalnum() else "-" for c in name[:49].lower())
    near = letters.strip("-").lstrip("-0123456789")
    return f"did you mean '{near}'?" if near else ""
