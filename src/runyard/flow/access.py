"""Who may do what: roles, the scope of a token, and the guards of an environment.

    a permission is given by a role    PERMISSIONS
    a role is given by a grant         in one environment, or in all
    a token takes away                 nothing beyond its ceiling, nothing outside its environments
    a guard forbids                    changes while it is frozen, or to all but some; runs to all
                                       but some; approvals delay

`may` is asked before anything is done; what it says is a value, in words for who is refused.
An open exception (break-glass) lifts the guards for the one person who opened it, not the roles.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from runyard.model.errors import PermissionDenied
from runyard.model.policy import NO_GUARDS, GuardException, Guards, Names
from runyard.model.principal import ANYWHERE, Caller, Grants, Role

SOMEWHERE = ""  #: asked of `may`: in any environment at all


class Permission(StrEnum):
    """What may be allowed: noun and verb. Each route of the API names one."""

    STATUS_READ = "status.read"
    METRICS_READ = "metrics.read"
    JOBS_READ = "jobs.read"
    JOBS_CHANGE = "jobs.change"
    TRIGGERS_PAUSE = "triggers.pause"  # and resume
    RUNS_READ = "runs.read"
    RUNS_START = "runs.start"
    RUNS_CANCEL = "runs.cancel"
    LOGS_READ = "logs.read"
    HOOKS_READ = "hooks.read"
    HOOKS_CONTENT = "hooks.content"  # what was sent to them
    OPERATIONS_READ = "operations.read"
    OPERATIONS_CHANGE = "operations.change"
    OPERATIONS_APPROVE = "operations.approve"
    SECRETS_READ = "secrets.read"  # names and versions, never values
    SECRETS_CHANGE = "secrets.change"
    SECRETS_ACCESS = "secrets.access"  # values
    TOPICS_READ = "topics.read"
    TOPICS_CHANGE = "topics.change"
    TOPICS_PUBLISH = "topics.publish"
    SUBSCRIPTIONS_READ = "subscriptions.read"
    SUBSCRIPTIONS_CHANGE = "subscriptions.change"
    SUBSCRIPTIONS_CONSUME = "subscriptions.consume"  # pull messages, say what became of them
    ENVIRONMENTS_READ = "environments.read"
    ENVIRONMENTS_CHANGE = "environments.change"
    PRINCIPALS_READ = "principals.read"
    PRINCIPALS_CHANGE = "principals.change"
    TOKENS_OWN = "tokens.own"  # one's own tokens, of at most one's own scope
    AUDIT_READ = "audit.read"
    AUDIT_ANCHOR = "audit.anchor"
    GUARDS_READ = "guards.read"
    GUARDS_BREAK = "guards.break"
    ALERTS_READ = "alerts.read"
    ALERTS_CHANGE = "alerts.change"  # to silence them
    DEAD_LETTERS_READ = "dead_letters.read"
    DEAD_LETTERS_DISCARD = "dead_letters.discard"
    INCIDENTS_READ = "incidents.read"
    INCIDENTS_CHANGE = "incidents.change"
    CHANNELS_READ = "channels.read"  # names and kinds
    CHANNELS_TEST = "channels.test"


#: The least role that has a permission; the roles above it have it too.
PERMISSIONS: dict[Permission, Role] = {
    Permission.STATUS_READ: Role.VIEWER,
    Permission.METRICS_READ: Role.VIEWER,
    Permission.JOBS_READ: Role.VIEWER,
    Permission.JOBS_CHANGE: Role.OPERATOR,
    Permission.TRIGGERS_PAUSE: Role.OPERATOR,
    Permission.RUNS_READ: Role.VIEWER,
    Permission.RUNS_START: Role.OPERATOR,
    Permission.RUNS_CANCEL: Role.OPERATOR,
    Permission.LOGS_READ: Role.VIEWER,
    Permission.HOOKS_READ: Role.VIEWER,
    Permission.HOOKS_CONTENT: Role.OPERATOR,
    Permission.OPERATIONS_READ: Role.VIEWER,
    Permission.OPERATIONS_CHANGE: Role.OPERATOR,
    Permission.OPERATIONS_APPROVE: Role.OPERATOR,
    Permission.SECRETS_READ: Role.VIEWER,
    Permission.SECRETS_CHANGE: Role.ADMIN,
    Permission.SECRETS_ACCESS: Role.ADMIN,
    Permission.TOPICS_READ: Role.VIEWER,
    Permission.TOPICS_CHANGE: Role.OPERATOR,
    Permission.TOPICS_PUBLISH: Role.OPERATOR,
    Permission.SUBSCRIPTIONS_READ: Role.VIEWER,
    Permission.SUBSCRIPTIONS_CHANGE: Role.OPERATOR,
    Permission.SUBSCRIPTIONS_CONSUME: Role.OPERATOR,
    Permission.ENVIRONMENTS_READ: Role.VIEWER,
    Permission.ENVIRONMENTS_CHANGE: Role.ADMIN,
    Permission.PRINCIPALS_READ: Role.VIEWER,
    Permission.PRINCIPALS_CHANGE: Role.ADMIN,
    Permission.TOKENS_OWN: Role.VIEWER,
    Permission.AUDIT_READ: Role.OPERATOR,
    Permission.AUDIT_ANCHOR: Role.OPERATOR,
    Permission.GUARDS_READ: Role.VIEWER,
    Permission.GUARDS_BREAK: Role.ADMIN,
    Permission.ALERTS_READ: Role.VIEWER,
    Permission.ALERTS_CHANGE: Role.OPERATOR,
    Permission.DEAD_LETTERS_READ: Role.VIEWER,
    Permission.DEAD_LETTERS_DISCARD: Role.OPERATOR,
    Permission.INCIDENTS_READ: Role.VIEWER,
    Permission.INCIDENTS_CHANGE: Role.OPERATOR,
    Permission.CHANNELS_READ: Role.VIEWER,
    Permission.CHANNELS_TEST: Role.OPERATOR,
}
#: What the guards of an environment are about. To cancel or to refuse something must never wait,
#: and breaking the glass must not need the glass to be broken.
CHANGING = frozenset(
    {
        Permission.JOBS_CHANGE,
        Permission.SECRETS_CHANGE,
        Permission.TOPICS_CHANGE,
        Permission.SUBSCRIPTIONS_CHANGE,
        Permission.ENVIRONMENTS_CHANGE,
    }
)
STARTING = frozenset({Permission.RUNS_START})
GUARDED = CHANGING | STARTING


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether something is allowed; if not, why, and what would help."""

    allowed: bool
    why: str = ""
    hint: str = ""


ALLOWED = Verdict(True)


@dataclass(frozen=True, slots=True)
class Ground:
    """What is known of an environment when somebody wants something there."""

    guards: Guards = NO_GUARDS
    exceptions: tuple[GuardException, ...] = ()


NO_GROUND = Ground()


def role_in(caller: Caller, environment: str) -> Role | None:
    """The caller's role in `environment` (ANYWHERE: in all of them; SOMEWHERE: the highest in
    any), as far as the token lets it; None when there is none."""
    held = [
        grant.role for grant in caller.grants if _reaches(caller, grant.environment, environment)
    ]
    if not held:
        return None
    highest = max(held, key=lambda role: role.rank)
    return min(highest, caller.scope.ceiling, key=lambda role: role.rank)


def _reaches(caller: Caller, granted: str, environment: str) -> bool:
    scope = caller.scope
    if environment == SOMEWHERE:
        return granted == ANYWHERE or scope.covers(granted)
    if environment == ANYWHERE:
        return granted == ANYWHERE and ANYWHERE in scope.environments
    return granted in (ANYWHERE, environment) and scope.covers(environment)


def visible(caller: Caller) -> tuple[str, ...] | None:
    """The environments the caller may look at, sorted; None: all of them, also later ones."""
    if role_in(caller, ANYWHERE) is not None:
        return None
    named = {grant.environment for grant in caller.grants} | set(caller.scope.environments)
    return tuple(sorted(name for name in named - {ANYWHERE} if role_in(caller, name) is not None))


def may(
    caller: Caller,
    permission: Permission,
    environment: str,
    now: datetime,
    ground: Ground = NO_GROUND,
) -> Verdict:
    """Whether the caller may do what `permission` is about in `environment`, now."""
    needed, has = PERMISSIONS[permission], role_in(caller, environment)
    if has is None or has.rank < needed.rank:
        return _lacking(caller, permission, environment, has)
    if permission not in GUARDED or is_lifted(caller.name, ground.exceptions, now):
        return ALLOWED
    return _guarded(caller, permission, environment, ground.guards)


def check(
    caller: Caller,
    permission: Permission,
    environment: str,
    now: datetime,
    ground: Ground = NO_GROUND,
) -> None:
    """As `may`. Raises PermissionDenied with its words."""
    verdict = may(caller, permission, environment, now, ground)
    if not verdict.allowed:
        raise PermissionDenied(verdict.why, hint=verdict.hint)


def is_lifted(name: str, exceptions: Iterable[GuardException], now: datetime) -> bool:
    """True while an exception that `name` opened holds."""
    return any(one.by == name and one.is_open(now) for one in exceptions)


def approvals_needed(caller: Caller, ground: Ground, now: datetime) -> int:
    """How many others must agree before a change that the caller asks for begins."""
    return 0 if is_lifted(caller.name, ground.exceptions, now) else ground.guards.approvals


def may_approve(
    caller: Caller, requested_by: str, environment: str, now: datetime, ground: Ground = NO_GROUND
) -> Verdict:
    """Whether the caller may agree to (or refuse) what `requested_by` asked for."""
    if caller.name == requested_by:
        why = f"you are {caller.name}, who asked for this; somebody else has to agree to it"
        return Verdict(False, why, f"ask {_people(ground.guards.approvers, environment)}")
    verdict = may(caller, Permission.OPERATIONS_APPROVE, environment, now)
    if not verdict.allowed:
        return verdict
    return _listed(caller, "agree to changes of", environment, ground.guards.approvers)


def _people(names: Names, environment: str) -> str:
    return f"one of {', '.join(names)}" if names else f"another operator or admin of {environment}"


def _guarded(caller: Caller, permission: Permission, environment: str, guards: Guards) -> Verdict:
    if permission in STARTING:
        return _listed(caller, "run things in", environment, guards.runners)
    if guards.frozen is not None:
        return Verdict(
            False,
            f"{environment} is frozen until {guards.frozen.until} ({guards.frozen.reason}): "
            "nothing is changed there",
            f"wait, or `runyard break-glass {environment} --reason …` if it cannot wait",
        )
    return _listed(caller, "change", environment, guards.changers)


def _listed(caller: Caller, what: str, environment: str, names: Names) -> Verdict:
    if names is None or caller.name in names:
        return ALLOWED
    return Verdict(
        False,
        f"you are {caller.name}, who is not among those who may {what} {environment}",
        f"ask one of them: {', '.join(names)}" if names else "there is nobody who may",
    )


def _lacking(caller: Caller, permission: Permission, environment: str, has: Role | None) -> Verdict:
    where = {ANYWHERE: "in every environment", SOMEWHERE: "in any environment"}.get(
        environment, f"in environment {environment}"
    )
    role = f"your role {where} is {has}" if has else f"you have no role {where}"
    needed = PERMISSIONS[permission]
    why = f"you are {caller.name}, and {role}: {permission} needs {needed}"
    if _only_the_token_lacks(caller, needed, environment):
        return Verdict(False, f"{why}, which this token leaves out", _OTHER_TOKEN)
    target = "" if environment in (ANYWHERE, SOMEWHERE) else f"@{environment}"
    return Verdict(
        False,
        why,
        f"an admin can give it: `runyard users grant {caller.name} {needed}{target}`",
    )


_OTHER_TOKEN = "use a token with a higher ceiling or more environments (`runyard tokens list`)"  # noqa: S105


def _only_the_token_lacks(caller: Caller, needed: Role, environment: str) -> bool:
    free = role_in(Caller(caller.name, caller.grants), environment)
    return free is not None and free.rank >= needed.rank


def fits_within(caller: Caller, ceiling: Role, environments: Iterable[str]) -> bool:
    """True when a token of this scope could do nothing that the caller's own token cannot."""
    own = caller.scope
    covered = all(
        ANYWHERE in own.environments if name == ANYWHERE else own.covers(name)
        for name in environments
    )
    return covered and ceiling.rank <= own.ceiling.rank


def beyond(caller: Caller, grants: Grants) -> Grants:
    """Of `grants`, those that the caller may not give: it is no admin there itself."""
    return tuple(grant for grant in grants if role_in(caller, grant.environment) is not Role.ADMIN)
