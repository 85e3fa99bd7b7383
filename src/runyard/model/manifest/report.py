"""Where every fault goes: each with the place in the file that a person must look at."""

from __future__ import annotations

from collections.abc import Iterable

from runyard.model.errors import Fault, InvalidSpec
from runyard.model.manifest.tree import Node, Place, is_refused, seen
from runyard.model.validation import (
    HIDDEN,
    SHOWN_MAX,
    Complaint,
    Path,
    did_you_mean,
    dotted,
    is_hidden,
)

#: More faults than anybody reads; a generated file with one mistake in every job stays bounded.
FAULTS_MAX = 1000


class Report:
    """Collects faults and warnings of one load. The same fault at the same place counts once."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.warnings: list[Fault] = []
        self._told: set[tuple[object, ...]] = set()

    def fault(self, found: Fault) -> None:
        """Something is wrong."""
        self._tell(self.faults, found)

    def warning(self, found: Fault) -> None:
        """Something is allowed and yet may surprise."""
        self._tell(self.warnings, found)

    def raise_faults(self, files: list[str]) -> None:
        """Raise InvalidSpec with every fault in the order of `files`, if there is one."""
        if not self.faults:
            return
        order = {name: number for number, name in enumerate(files)}
        faults = sorted(self.faults, key=lambda f: (order.get(f.file, 0), f.line, f.column))
        count = len(faults)
        said = f"{count} faults" if count > 1 else "1 fault"
        kept = tuple(faults[:FAULTS_MAX])
        hint = f"the first {FAULTS_MAX} are shown" if count > FAULTS_MAX else ""
        raise InvalidSpec(f"the manifest has {said}", hint=hint, faults=kept)

    def _tell(self, told: list[Fault], found: Fault) -> None:
        leaf = found.path.rpartition(".")[2]
        key = (found.file, found.line, found.column, found.expected, leaf)
        if key not in self._told:
            self._told.add(key)
            told.append(found)


class Part:
    """The report of one part of the manifest (a job, an environment), which stands at `node`."""

    def __init__(self, report: Report, prefix: Path, node: Node, place: Place) -> None:
        self._report = report
        self._prefix = prefix
        self._node = node
        self._place = place

    def fault(self, path: Path, expected: str, hint: str = "", *, about_key: bool = False) -> None:
        """The value at `path` (or its key) is wrong."""
        self._report.fault(self._at(path, expected, hint, about_key))

    def warn(self, path: Path, expected: str, hint: str = "", *, about_key: bool = False) -> None:
        """The value at `path` is allowed and yet may surprise."""
        self._report.warning(self._at(path, expected, hint, about_key))

    def complain(self, complaint: Complaint) -> None:
        """A model's complaint, unless its fault is told already."""
        if not self._is_told(complaint.path):
            self.fault(
                complaint.path, complaint.expected, complaint.hint, about_key=complaint.about_key
            )

    def near(self, word: str, choices: Iterable[str]) -> str:
        """The hint that names the nearest choice; none once more is told than anybody reads."""
        return "" if self.is_full else did_you_mean(word, choices)

    @property
    def is_full(self) -> bool:
        """True once more is told than anybody reads: nearest names need not be looked for."""
        return len(self._report.faults) + len(self._report.warnings) >= FAULTS_MAX

    def place_of(self, path: Path) -> Place:
        """Where the value at `path` stands, or the nearest thing around it."""
        return self._look(path)[0]

    def _at(self, path: Path, expected: str, hint: str, about_key: bool) -> Fault:
        place, node = self._look(path, about_key)
        value = "" if node is None or about_key else seen(node)
        if node is not None and node.text and hint.startswith("write it in quotes"):
            hint = f'write it in quotes: "{node.text[:SHOWN_MAX]}"'
        if value and is_hidden(path):
            value, hint = HIDDEN, ""
        return Fault(dotted((*self._prefix, *path)), value, expected, hint, *place)

    def _look(self, path: Path, about_key: bool = False) -> tuple[Place, Node | None]:
        node, place = self._node, self._place
        for number, part in enumerate(path):
            child = _child(node, part)
            if child is None:
                return place, None
            is_last = number == len(path) - 1
            place = node.keys[str(part)] if about_key and is_last else child.place
            node = child
        return place, node

    def _is_told(self, path: Path) -> bool:
        node: Node | None = self._node
        for part in path:
            node = _child(node, part) if node is not None else None
            if node is not None and (node.value is None or is_refused(node)):
                return True
        return False


def _child(node: Node, part: str | int) -> Node | None:
    value = node.value
    if isinstance(value, dict):
        return value.get(str(part))
    return value[part] if isinstance(value, list) and isinstance(part, int) else None
