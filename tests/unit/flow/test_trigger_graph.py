"""What starts what, as a graph."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from runyard.flow.trigger_graph import Edge, NodeKind, graph, mermaid
from runyard.model.run import TriggerKind
from runyard.model.trigger.row import Trigger, TriggerState
from tests.support.runs import NOW


def row(job: str, kind: TriggerKind, document: dict[str, Any], **changes: Any) -> Trigger:
    return Trigger("shop", "local", job, kind.value, kind, document, NOW, **changes)


CHAIN, ABSENCE = TriggerKind.CHAIN, TriggerKind.ABSENCE
ROWS = [
    row("load", TriggerKind.SCHEDULE, {"schedule": '0 9 * * "#1', "timeZone": "UTC"}),
    row("send", CHAIN, {"after": {"all": ["load", "gone"], "on": "any"}}),
    row("tidy", CHAIN, {"after": {"job": "load", "on": "dead"}}, state=TriggerState.PAUSED),
    row("a", ABSENCE, {"absence": {"of": {"job": "load", "on": "any"}, "within": "1h"},
                       "do": "run"}),
    row("b", ABSENCE, {"absence": {"of": {"job": "load", "on": "any"}, "within": "1h"},
                       "do": "alert"}),
    row("c", TriggerKind.WEBHOOK, {"webhook": {"kind": "github"}}, state=TriggerState.PAUSED),
    row("d", TriggerKind.EVENT, {"event": {"topic": "uploads"}}),
    row("e", CHAIN, {"after": {"any": ["load"], "on": "failed"}}),
]  # fmt: skip
ABSENT = "when there was no end of load (any) for 1 h"
JOBS = [("shop", name) for name in ("load", "send", "tidy", "a", "b", "c", "d", "e", "alone")]


def test_an_absence_of_events_hangs_on_its_topic() -> None:
    document = {"absence": {"of": {"event": {"topic": "uploads"}}, "within": "1h"}, "do": "run"}
    (edge,) = graph([row("a", ABSENCE, document)], JOBS).edges
    assert (edge.source, edge.target) == ("topic/uploads", "job/shop/a")
    assert edge.label == "run when there was no message of uploads for 1 h"


def test_every_trigger_is_an_edge_and_what_it_joins_are_nodes() -> None:
    found = graph(ROWS, JOBS)
    assert {edge.trigger for edge in found.edges} == {one.path for one in ROWS}
    assert (
        Edge(
            "job/shop/load",
            "job/shop/tidy",
            "shop/local/tidy/chain",
            CHAIN,
            TriggerState.PAUSED,
            "dead",
        )
        in found.edges
    )
    assert {edge.label for edge in found.edges} == {
        "", "dead", "all: any", "any: failed", f"run {ABSENT}", f"alert {ABSENT}",
    }  # fmt: skip
    ids = [node.id for node in found.nodes]
    ends = {end for edge in found.edges for end in (edge.source, edge.target)}
    assert (set(ids), len(ids)) == (ends, len(ends))
    assert [node.id for node in found.nodes if node.missing] == ["job/shop/gone"]
    kinds = [node.kind for node in found.nodes]
    assert kinds == sorted(kinds, key=list(NodeKind).index)


def test_it_is_drawn_by_mermaid() -> None:
    found = graph(ROWS, JOBS)
    text = mermaid([asdict(one) for one in found.nodes], [asdict(one) for one in found.edges])
    assert text.splitlines() == [
        "flowchart LR",
        '    n1["a"]',
        '    n2["c"]',
        '    n3["d"]',
        '    n4["e"]',
        '    n5["gone (not in force)"]',
        '    n6["load"]',
        '    n7["send"]',
        '    n8["tidy"]',
        '    n9(["0 9 * * #quot;#35;1 in UTC"])',
        '    n10[("uploads")]',
        '    n11>"webhook"]',
        '    n12{{"absence"}}',
        f'    n6 -.->|"run {ABSENT}"| n1',
        f'    n6 -.->|"alert {ABSENT}"| n12',
        '    n11 -.->|"(paused)"| n2',
        "    n10 --> n3",
        '    n6 -->|"any: failed"| n4',
        "    n9 --> n6",
        '    n6 -->|"all: any"| n7',
        '    n5 -->|"all: any"| n7',
        '    n6 -.->|"dead (paused)"| n8',
    ]


def test_where_nothing_starts_anything_there_is_nothing() -> None:
    assert graph([], JOBS) == graph([], [])
    assert mermaid([], []) == "flowchart LR"
