"""The audit log: read, verified, anchored."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from runyard.api import cursors
from runyard.api.answers import answer
from runyard.api.people_documents import entry_document
from runyard.api.people_shapes import AnchorShape, AuditPageShape, VerificationShape
from runyard.api.permits import Who, allowed
from runyard.api.queries import AuditQuery, VerifyQuery
from runyard.api.rest.routes import errors, router
from runyard.api.services import Services, Use
from runyard.database.port import Tx
from runyard.flow.access import Permission, visible
from runyard.flow.audit import Audit, Break, anchors_of
from runyard.gate.recording import Record
from runyard.model.audit import AuditEntry, Head, Link

audit = router("audit")
BATCH = 1000  #: entries read together while all of them are verified
_BEFORE_ALL = -(2**63)  #: below any number, also one that somebody put in by hand


@audit.get(
    "/audit",
    response_model=AuditPageShape,
    responses=errors(),
    dependencies=allowed(Permission.AUDIT_READ),
)
async def list_entries(services: Use, who: Who, query: Annotated[AuditQuery, Query()]) -> Response:
    """List entries, newest first: who changed what, why, and from where."""
    question = query.question(visible(who))
    before = None
    if query.page_token:
        (before,) = cursors.place_in(question, query.page_token, ((int,),))

    async def work(tx: Tx) -> list[Link]:
        return await services.store.audit.page(tx, question, before, query.page_size + 1)

    found = await services.database.read(work)
    page, rest = found[: query.page_size], found[query.page_size :]
    token = cursors.token(question, page[-1].sequence) if rest else ""
    return answer({"entries": [entry_document(one) for one in page], "next_page_token": token})


@audit.get(
    "/audit:verify",
    response_model=VerificationShape,
    responses=errors(),
    dependencies=allowed(Permission.AUDIT_READ),
)
async def verify(services: Use, query: Annotated[VerifyQuery, Query()]) -> Response:
    """Say whether every entry is as it was written and follows the one before it, and whether the
    log says what anchors say; else the first entry that does not."""
    anchors = anchors_of(query.anchor)
    found = Audit(anchors)
    broken, count = await _verified(services, found)
    return answer(
        {
            "ok": broken is None,
            "entries": count,
            "anchors": len(anchors),
            "head": str(found.head),
            "problem": None if broken is None else asdict(broken),
        }
    )


async def _verified(services: Services, found: Audit) -> tuple[Break | None, int]:
    """What is wrong, if something is, and how many entries were looked at."""
    after, count = _BEFORE_ALL, 0
    while page := await _following(services, after):
        for one in page:
            count += 1
            if (broken := found.look(one)) is not None:
                return broken, count
        after = page[-1].sequence
    return found.end(), count


async def _following(services: Services, after: int) -> list[Link]:
    async def work(tx: Tx) -> list[Link]:
        return await services.store.audit.following(tx, after, BATCH)

    return await services.database.read(work)


@audit.post(
    "/audit:anchor",
    response_model=AnchorShape,
    responses=errors(),
    dependencies=allowed(Permission.AUDIT_ANCHOR),
)
async def anchor(services: Use, who: Who) -> Response:
    """Note in the audit log that it is anchored, and give its number and digest, to be kept where
    the log is not."""
    now = services.clock()
    entry = AuditEntry(now, who.name, "audit.anchor", "audit", origin=who.origin)
    await services.gate.ask(Record([entry], now))
    head: Head = await services.database.read(services.store.audit.head)
    return answer(
        {"sequence": head.sequence, "digest": head.digest, "at": now, "anchor": str(head)}
    )
