"""From one text to a tree in which every value knows its file, line and column.

PyYAML's parser (libyaml, in C) gives events; this file builds the tree, so that depth, number of
nodes, aliases and duplicate keys are bounded and checked before any memory is spent on them, and
so that YAML 1.2's core schema holds. Never raises for what a user wrote: faults are collected.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, NoReturn

import yaml

from runyard.model.errors import Fault
from runyard.model.manifest.scalars import NotPlain, Scalar, plain
from runyard.model.manifest.text import Source, unprintable
from runyard.model.validation import HIDDEN, ROOT, SHOWN_MAX, Path, dotted, is_hidden, shown

DEPTH_MAX = 40  #: of nesting; Cloud Run's deepest field is at 15
#: Nodes of all the tree with aliases counted as often as they are used, so that a bomb of aliases
#: is as large as what it would become. A job has about 60, so this is three thousand jobs.
NODES_MAX = 200_000

# Escapes can write into a value what a text may not contain; line ends and tabs may be meant.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# Two escaped halves of one character, or any other escape, so that none begins inside another.
_ESCAPE = re.compile(
    r"\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|.)", re.DOTALL
)
# The C parser where the wheel has it (all of PyPI's do), else the same events from Python.
PARSER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


class Place(NamedTuple):
    """Where something is: line and column count from 1."""

    file: str
    line: int
    column: int


@dataclass(slots=True)
class Node:
    """A value. `text` is what a plain scalar that is no text looked like in the file.

    `keys` says where each key of a mapping is. `size` counts the nodes in it, itself included.
    """

    value: dict[str, Node] | list[Node] | Scalar
    place: Place
    text: str = ""
    keys: dict[str, Place] = field(default_factory=dict)
    size: int = 1


class TooMuch(Exception):
    """A limit is reached; the rest of the file is not looked at."""


def parse(source: Source, faults: list[Fault], parser_class: Any = PARSER) -> Node | None:
    """The tree of `source`; None, and a fault in `faults`, when there is none."""
    if (fault := unprintable(source)) is not None:
        faults.append(fault)
        return None
    told = len(faults)
    builder = _Builder(source.name, faults)
    parser = parser_class(source.text)
    try:
        return builder.document(_events(parser))
    except yaml.YAMLError as broken:
        if (joined := _joined(source.text)) != source.text:
            del faults[told:]
            return parse(Source(source.name, joined), faults, parser_class)
        faults.append(_syntax(source, broken))
    except TooMuch:
        pass
    finally:
        parser.dispose()
    return None


def _joined(text: str) -> str:
    """JSON as YAML has it: a character beyond 16 bits as one escape, not as two halves (RFC 8259,
    section 7; YAML 1.2, section 5.7). What is no JSON object stays as it is."""
    return _ESCAPE.sub(_whole, text) if text.lstrip().startswith("{") else text


def _whole(escape: re.Match[str]) -> str:
    high, low = escape[1], escape[2]
    if high is None:
        return escape[0]
    return f"\\U{0x10000 + ((int(high, 16) & 0x3FF) << 10) + (int(low, 16) & 0x3FF):08X}"


def _events(parser: Any) -> Iterator[Any]:
    while parser.check_event():
        yield parser.get_event()


class _Builder:
    """Turns the events of one file into nodes."""

    def __init__(self, file: str, faults: list[Fault]) -> None:
        self.file = file
        self.faults = faults
        self.anchors: dict[str, Node] = {}
        self.count = 0

    def document(self, events: Iterator[Any]) -> Node | None:
        """The one document of the file."""
        root: Node | None = None
        started = False
        for event in events:
            if not isinstance(event, yaml.DocumentStartEvent):
                continue
            if started:
                place = self._place(event)
                expected, hint = "one document a file", "put it into a file of its own"
                self._fault((), "a second document", expected, hint, place)
                break
            started = True
            root = self._node(next(events), events, (), 0)
        return root

    def _node(self, event: Any, events: Iterator[Any], path: Path, depth: int) -> Node:
        place = self._place(event)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, path, place)
        self._count(1, path, place)
        if event.tag is not None:
            hint = "remove it; quotes make a text"
            self._fault(path, shown(event.tag), "a value without a tag", hint, place)
        if isinstance(event, yaml.ScalarEvent):
            node = self._scalar(event, path, place)
        else:
            if depth >= DEPTH_MAX:
                self._too_much(path, f"at most {DEPTH_MAX} levels of nesting", place)
            collect = self._mapping if isinstance(event, yaml.MappingStartEvent) else self._list
            node = collect(events, path, place, depth + 1)
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        return node

    def _scalar(self, event: Any, path: Path, place: Place) -> Node:
        text: str = event.value
        if not event.implicit[0]:
            return Node(self._visible(text, path, place), place)
        try:
            value = plain(text)
        except NotPlain as refused:
            self._fault(path, shown(text), refused.expected, refused.hint, place)
            return Node(_REFUSED, place, text)
        if isinstance(value, str):
            return Node(self._visible(value, path, place), place)
        return Node(value, place, text)

    def _list(self, events: Iterator[Any], path: Path, place: Place, depth: int) -> Node:
        items: list[Node] = []
        node = Node(items, place)
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            item = self._node(event, events, (*path, len(items)), depth)
            items.append(item)
            node.size += item.size
        return node

    def _mapping(self, events: Iterator[Any], path: Path, place: Place, depth: int) -> Node:
        entries: dict[str, Node] = {}
        node = Node(entries, place)
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key_place = self._place(event)
            key = self._key(event, events, path, depth)
            value = self._node(next(events), events, path if key is None else (*path, key), depth)
            node.size += value.size
            if key is None:
                continue
            if key in entries:
                first = node.keys[key]
                expected = f"each key once; the first one is at line {first.line}"
                self._fault((*path, key), "a duplicate key", expected, "remove one", key_place)
            else:
                entries[key] = value
                node.keys[key] = key_place
        return node

    def _key(self, event: Any, events: Iterator[Any], path: Path, depth: int) -> str | None:
        node = self._node(event, events, path, depth)
        if isinstance(node.value, str) and node.value is not _REFUSED:
            if node.value == "<<" and getattr(event, "implicit", (False,))[0]:
                expected = "a key; merge keys are not part of YAML 1.2"
                hint = "use `defaults`, or an alias for the whole value"
                self._fault(path, "'<<'", expected, hint, node.place)
                return None
            return node.value
        if node.value is not _REFUSED:
            hint = f'write it in quotes: "{node.text}"' if node.text else ""
            self._fault(path, seen(node), "a key that is a text", hint, node.place)
        return None

    def _alias(self, event: Any, path: Path, place: Place) -> Node:
        node = self.anchors.get(event.anchor)
        if node is None:
            expected = "an alias of an anchor that ends before it"
            self._fault(path, shown(f"*{event.anchor}"), expected, "", place)
            return Node(_REFUSED, place)
        self._count(node.size, path, place)
        return node

    def _visible(self, text: str, path: Path, place: Place) -> str:
        if (found := _CONTROL.search(text)) is None:
            return text
        expected = "a text without control characters"
        self._fault(path, shown(found.group()), expected, "remove it", place)
        return _REFUSED

    def _count(self, size: int, path: Path, place: Place) -> None:
        self.count += size
        if self.count > NODES_MAX:
            self._too_much(path, f"at most {NODES_MAX} values, aliases counted in full", place)

    def _too_much(self, path: Path, expected: str, place: Place) -> NoReturn:
        self._fault(path, "a manifest too deep or too large", expected, "split it", place)
        raise TooMuch

    def _place(self, event: Any) -> Place:
        mark = event.start_mark
        return Place(self.file, mark.line + 1, mark.column + 1)

    def _fault(self, path: Path, value: str, expected: str, hint: str, place: Place) -> None:
        if is_hidden(path):
            value, hint = HIDDEN, ""
        self.faults.append(Fault(dotted(path), value, expected, hint, *place))


class _Refused(str):
    """A text that stands for a value whose fault is told already."""

    __slots__ = ()


_REFUSED = _Refused()


def is_refused(node: Node) -> bool:
    """True when the fault of this very value is told already; say no more about it."""
    return node.value is _REFUSED


def seen(node: Node) -> str:
    """What stands in the file, made printable and short."""
    return node.text[:SHOWN_MAX] or shown(node.value)


def _syntax(source: Source, broken: yaml.YAMLError) -> Fault:
    mark = getattr(broken, "problem_mark", None) or getattr(broken, "context_mark", None)
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    lines = source.text.splitlines()
    if line > len(lines):  # libyaml places the end of a text after its end
        line = max(len(lines), 1)
        column = len(lines[-1]) + 1 if lines else 1
    # No more than the character where it broke: the rest of the line may be a secret.
    rest = lines[line - 1][column - 1 :][:1] if lines else ""
    expected = f"YAML 1.2 or JSON ({getattr(broken, 'problem', None) or 'not understood'})"
    hint = "indent with spaces, not with tabs" if rest == "\t" else ""
    value = shown(rest) if rest else "the end of the text"
    return Fault(ROOT, value, expected, hint, source.name, line, column)
