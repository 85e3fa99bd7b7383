"""What starts what in an environment: schedules, topics, webhooks, and jobs after jobs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from runyard.flow.trigger_words import says
from runyard.model.run import TriggerKind
from runyard.model.trigger.row import Trigger, TriggerState

#: Shapes of nodes in Mermaid's flowcharts (https://mermaid.js.org/syntax/flowchart.html).
_SHAPES = {
    "job": ("[", "]"),
    "schedule": ("([", "])"),
    "topic": ("[(", ")]"),
    "webhook": (">", "]"),
    "alert": ("{{", "}}"),
}
_DASHED = "-.->"  #: of what does not happen, and of triggers that are not enabled


class NodeKind(StrEnum):
    """What starts runs, or is started."""

    JOB = "job"
    SCHEDULE = "schedule"
    TOPIC = "topic"
    WEBHOOK = "webhook"
    ALERT = "alert"  # people are told


@dataclass(frozen=True, slots=True)
class Node:
    """`id` is unique in a graph. `missing`: a job that a trigger names and that is not in force."""

    id: str
    kind: NodeKind
    label: str
    missing: bool = False


@dataclass(frozen=True, slots=True)
class Edge:
    """A trigger (its path) leads from one node to another. `label` says when."""

    source: str
    target: str
    trigger: str
    kind: TriggerKind
    state: TriggerState
    label: str


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes by kind and id; edges in the order of their triggers."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def graph(rows: Sequence[Trigger], jobs: Iterable[tuple[str, str]]) -> Graph:
    """The graph of triggers; `jobs` are those in force, as (project, name)."""
    edges = [edge for row in sorted(rows, key=lambda one: one.path) for edge in _edges(row)]
    known = {_job(*job) for job in jobs}
    ids = dict.fromkeys(end for edge in edges for end in (edge.source, edge.target))
    words = {f"{row.kind}/{row.path}": says(row.document) for row in rows}
    nodes = [_node(one, words, known) for one in ids]
    order = list(NodeKind)
    return Graph(
        tuple(sorted(nodes, key=lambda one: (order.index(one.kind), one.id))), tuple(edges)
    )


def _job(project: str, name: str) -> str:
    return f"job/{project}/{name}"


def _edges(row: Trigger) -> Iterator[Edge]:
    own, document = _job(row.project, row.job), row.document
    match row.kind:
        case TriggerKind.CHAIN:
            for source, label in _after(document["after"]):
                yield _edge(row, _job(row.project, source), own, label)
        case TriggerKind.ABSENCE:
            of = document["absence"]["of"]
            source = _topic(of) if "event" in of else _job(row.project, of["job"])
            tells = document.get("do") == "alert"
            yield _edge(row, source, f"alert/{row.path}" if tells else own, says(document))
        case TriggerKind.EVENT:
            yield _edge(row, _topic(document), own, "")
        case _:
            yield _edge(row, f"{row.kind}/{row.path}", own, "")


def _topic(document: Mapping[str, Any]) -> str:
    return f"topic/{document['event']['topic']}"


def _after(after: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each job that a chain follows, and what the edge from it says."""
    if "job" in after:
        yield after["job"], after["on"]
        return
    which = "all" if "all" in after else "any"
    for job in after[which]:
        yield job, f"{which}: {after['on']}"


def _edge(row: Trigger, source: str, target: str, label: str) -> Edge:
    return Edge(source, target, row.path, row.kind, row.state, label)


def _node(node: str, words: Mapping[str, str], known: set[str]) -> Node:
    kind, _, rest = node.partition("/")
    label = words[node] if kind == "schedule" else rest.rpartition("/")[2]
    return Node(node, NodeKind(kind), label, missing=kind == "job" and node not in known)


def mermaid(nodes: Sequence[Mapping[str, Any]], edges: Sequence[Mapping[str, Any]]) -> str:
    """The graph, from its JSON, as a flowchart of Mermaid."""
    short = {node["id"]: f"n{number}" for number, node in enumerate(nodes, 1)}
    lines = ["flowchart LR"]
    for node in nodes:
        begin, end = _SHAPES[node["kind"]]
        label = f"{node['label']} (not in force)" if node["missing"] else node["label"]
        lines.append(f"    {short[node['id']]}{begin}{_quoted(label)}{end}")
    lines += [f"    {short[e['source']]} {_arrow(e)} {short[e['target']]}" for e in edges]
    return "\n".join(lines)


def _arrow(edge: Mapping[str, Any]) -> str:
    enabled = edge["state"] == TriggerState.ENABLED
    label = edge["label"] if enabled else f"{edge['label']} ({edge['state']})".strip()
    arrow = "-->" if enabled and edge["kind"] != TriggerKind.ABSENCE else _DASHED
    return f"{arrow}|{_quoted(label)}|" if label else arrow


def _quoted(text: str) -> str:
    """A label that Mermaid takes as it is, whatever is in it."""
    return '"' + text.replace("#", "#35;").replace('"', "#quot;") + '"'
