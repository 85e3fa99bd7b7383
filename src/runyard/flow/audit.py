"""The chain of the audit log: how entries are linked, and how it is found that they were not.

    digest(n) = SHA-256(canonical text of entry n, which names its number and digest(n - 1))

A chain that was changed anywhere does not fit together any more, unless everything after the
change was computed anew; and a chain that was cut short, or replaced whole, fits together too.
Those are found by an anchor: the number and digest of an entry, kept where the log is not.

`Audit` reads one link after the other and keeps only the last, so a log of any length is verified.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Any

from runyard.model.audit import DIGEST_FORM, AuditEntry, Head, Link, Origin
from runyard.model.errors import Fault, InvalidSpec
from runyard.model.instants import from_micros, to_micros

VERSION = 1  #: of the canonical text
SEQUENCE_MAX = 2**53


def canonical(document: Mapping[str, Any]) -> str:
    """The one text of a JSON document: sorted keys, no blanks, UTF-8 as it is."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest_of(text: str) -> str:
    """SHA-256 in hexadecimal digits."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def link(entry: AuditEntry, head: Head) -> Link:
    """`entry` as the next of the chain that ends in `head`."""
    sequence = head.sequence + 1
    text = canonical(
        {
            "v": VERSION,
            "sequence": sequence,
            "previous": head.digest,
            "at": to_micros(entry.at),
            "by": entry.by,
            "action": entry.action,
            "target": entry.target,
            "environment": entry.environment,
            "before": entry.before,
            "after": entry.after,
            "reason": entry.reason,
            "origin": asdict(entry.origin),
        }
    )
    return Link(
        sequence=sequence,
        at=entry.at,
        by=entry.by,
        action=entry.action,
        target=entry.target,
        environment=entry.environment,
        text=text,
        previous=head.digest,
        digest=digest_of(text),
    )


def linked(entries: Iterable[AuditEntry], head: Head) -> list[Link]:
    """`entries` as the next of the chain that ends in `head`, in their order."""
    made: list[Link] = []
    for entry in entries:
        made.append(link(entry, head))
        head = Head(made[-1].sequence, made[-1].digest)
    return made


@dataclass(frozen=True, slots=True)
class Break:
    """The first thing that does not fit: at which entry, what was found, what should be there."""

    sequence: int
    what: str
    expected: str
    found: str


@dataclass(slots=True)
class Audit:
    """Verifies a chain, from its first entry on. `anchors` are digests by number."""

    anchors: Mapping[int, str] = field(default_factory=dict)
    head: Head = Head()

    def look(self, one: Link) -> Break | None:
        """Take the next entry; what is wrong with it, if something is."""
        broken = _unlinked(one, self.head) or _unlike(one) or self._unanchored(one)
        self.head = Head(one.sequence, one.digest)
        return broken

    def end(self) -> Break | None:
        """There are no more entries; the anchor that lies beyond, if one does."""
        beyond = [number for number in sorted(self.anchors) if number > self.head.sequence]
        if not beyond:
            return None
        expected = f"at least {beyond[-1]} entries, as an anchor says"
        return Break(self.head.sequence + 1, "entries are missing at the end", expected, "none")

    def _unanchored(self, one: Link) -> Break | None:
        anchor = self.anchors.get(one.sequence, one.digest)
        if anchor == one.digest:
            return None
        return Break(one.sequence, "it is not the entry that was anchored", anchor, one.digest)


def _unlinked(one: Link, head: Head) -> Break | None:
    following = head.sequence + 1
    if one.sequence != following:
        return Break(
            following, "an entry is missing, doubled or moved", str(following), str(one.sequence)
        )
    if one.previous != head.digest:
        what = "it does not follow the entry before it"
        return Break(one.sequence, what, head.digest, one.previous)
    return None


def _unlike(one: Link) -> Break | None:
    computed = digest_of(one.text)
    if computed != one.digest:
        what = "its content or its digest was changed"
        return Break(one.sequence, what, one.digest, computed)
    said = _said(one.text)
    for name in ("sequence", "previous", "at", "by", "action", "target", "environment"):
        beside = getattr(one, name)
        if said.get(name) != beside:
            return Break(
                one.sequence,
                f"the row's {name} is not the entry's",
                str(said.get(name)),
                str(beside),
            )
    return None


def _said(text: str) -> dict[str, Any]:
    """What a text says, with an instant as the row has it; nothing when it says nothing."""
    try:
        document = json.loads(text)
        return dict(document) | {"at": from_micros(document["at"])}
    except (ValueError, TypeError, KeyError, OverflowError):
        return {}


def entry_of(one: Link) -> AuditEntry:
    """The entry in a link. What a text that was tampered with does not say is empty."""
    document = _said(one.text)
    origin = document.get("origin", {})
    return AuditEntry(
        at=one.at,
        by=one.by,
        action=one.action,
        target=one.target,
        environment=one.environment,
        before=document.get("before"),
        after=document.get("after"),
        reason=str(document.get("reason", "")),
        origin=Origin(**{name: str(value) for name, value in origin.items()}),
    )


def anchors_of(texts: Iterable[str]) -> dict[int, str]:
    """Digests by number, of anchors written as `NUMBER:DIGEST`; blank ones are left out.

    Raises InvalidSpec with every one that is none, and for two that contradict each other.
    """
    found: dict[int, str] = {}
    faults: list[Fault] = []
    for text in (each.strip() for each in texts):
        match = re.fullmatch(rf"([1-9][0-9]{{0,15}}):({DIGEST_FORM})", text)
        if not text:
            continue
        if match is None or int(match[1]) > SEQUENCE_MAX:
            expected = "NUMBER:DIGEST, as `runyard audit anchor` prints it"
            faults.append(Fault("anchor", repr(text[:90]), expected))
        elif found.setdefault(int(match[1]), match[2]) != match[2]:
            expected = f"the digest {found[int(match[1])]} that another anchor has for this entry"
            faults.append(Fault("anchor", repr(text), expected))
    if faults:
        raise InvalidSpec("an anchor is not understood", faults=tuple(faults))
    return found
