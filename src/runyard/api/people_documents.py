"""People, tokens and audit entries as JSON."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from runyard.flow.audit import entry_of
from runyard.model.audit import Link
from runyard.model.policy import GuardException
from runyard.model.principal import Caller, Grants, Principal, Token

Document = dict[str, Any]


def _grants(grants: Grants) -> list[Document]:
    return [{"role": one.role, "environment": one.environment} for one in grants]


def principal_document(principal: Principal) -> Document:
    """A principal."""
    return {
        "name": principal.name,
        "kind": principal.kind,
        "grants": _grants(principal.grants),
        "disabled": principal.disabled,
        "note": principal.note,
        "created_at": principal.created_at,
        "created_by": principal.created_by,
    }


def me_document(caller: Caller) -> Document:
    """Who asks."""
    return {
        "name": caller.name,
        "grants": _grants(caller.grants),
        "ceiling": caller.scope.ceiling,
        "environments": list(caller.scope.environments),
        "token_id": caller.origin.token,
        "expires_at": caller.lasts_until,
    }


def token_document(token: Token, now: datetime) -> Document:
    """A token, without its digest."""
    return {
        "id": token.id,
        "principal": token.principal,
        "label": token.label,
        "ceiling": token.scope.ceiling,
        "environments": list(token.scope.environments),
        "is_good": token.is_good(now),
        "created_at": token.created_at,
        "created_by": token.created_by,
        "expires_at": token.expires_at,
        "revoked_at": token.revoked_at,
        "last_used_at": token.last_used_at,
    }


def entry_document(one: Link) -> Document:
    """An entry of the audit log, with its place in the chain."""
    entry = entry_of(one)
    return {
        "sequence": one.sequence,
        "at": one.at,
        "by": one.by,
        "action": one.action,
        "target": one.target,
        "environment": one.environment,
        "before": entry.before,
        "after": entry.after,
        "reason": entry.reason,
        "origin": asdict(entry.origin),
        "previous": one.previous,
        "digest": one.digest,
    }


def exception_document(exception: GuardException) -> Document:
    """An exception to guards."""
    return {
        "id": exception.id,
        "environment": exception.environment,
        "by": exception.by,
        "reason": exception.reason,
        "opened_at": exception.opened_at,
        "closes_at": exception.closes_at,
    }
