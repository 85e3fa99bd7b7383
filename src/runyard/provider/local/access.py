"""The port of access over the cloud on this machine: a job's service account, and what it may.

A job's account gets what its document asks for and nothing else: the right to read each secret that
it names, on that secret alone; roles on the buckets and topics that it needs. All of it is there
for the job's sake (localcloud/iam) and goes with it, but for what a person made or another job
needs. Every step makes things as they shall be, whatever was done before, so each may be repeated.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from runyard.localcloud.iam.book import Hold
from runyard.localcloud.iam.names import secrets_project
from runyard.localcloud.iam.policies import Settlement
from runyard.localcloud.iam.roles import ROLES
from runyard.localcloud.neighbours import Neighbours
from runyard.model.errors import NotFound, ProviderRefused
from runyard.model.operation import StepKind
from runyard.model.secret import VersionState
from runyard.provider.local.answering import NAME, answering
from runyard.provider.local.needs import Needs, holder_of
from runyard.provider.local.translate import cloud_project
from runyard.provider.port_access import Identity, Names, Settled

_OWNED = "secret of its own"
_NO_IDENTITY = "it names no service account: its tasks run as the project's default one"


class LocalAccess:
    """`provider.port_access.Access` over the secrets and the IAM of `cloud`."""

    def __init__(self, cloud: Neighbours) -> None:
        self._cloud = cloud

    async def do(self, kind: StepKind, identity: Identity) -> Settled:
        """See `Access.do`."""
        async with answering(kind, identity.job):
            match kind:
                case StepKind.IDENTITY:
                    return await self._identity(identity)
                case StepKind.SECRETS:
                    return await self._secrets(identity)
                case StepKind.UNBIND:
                    return await self._unbind(identity)
                case _:
                    return await self._retire(identity)

    async def undo(self, kind: StepKind, identity: Identity, undo: Names) -> str:
        """See `Access.undo`: things as the job was before want them."""
        async with answering(kind, identity.job):
            before = _needs(identity, before=True)
            match kind:
                case StepKind.IDENTITY:
                    await self._settle(identity, kind, before.other_holds)
                    await self._cloud.accounts.release(_holder(identity), keeping=before.account)
                case StepKind.SECRETS:
                    await self._settle(identity, kind, before.secret_holds)
                    if (_OWNED in dict(undo)) and not identity.before:
                        await self._cloud.secrets.retire(_secrets_of(identity), _owner(identity))
                case StepKind.UNBIND:
                    await self._ensure(identity, before)
                    await self._settle(identity, StepKind.IDENTITY, before.other_holds)
                    await self._settle(identity, StepKind.SECRETS, before.secret_holds)
                case _:
                    await self._cloud.secrets.restore(_secrets_of(identity), _owner(identity))
        return "as it was before"

    async def missing(self, identity: Identity) -> tuple[str, ...]:
        """See `Access.missing`."""
        async with answering("look at the access of", identity.job):
            needs, found = _needs(identity), []
            if needs.names_account:
                try:
                    account = await self._cloud.accounts.account(needs.account)
                except NotFound as error:
                    found.append(error.message)
                else:
                    found += [f"service account {account.email} is disabled"] * account.disabled
            found += [words for words, _ in await self._bad_secrets(_secrets_of(identity), needs)]
            for hold in sorted(needs.secret_holds | needs.other_holds):
                policy = await self._cloud.policies.policy(hold.resource)
                if hold.grant not in policy.grants:
                    words = f"{hold.grant.member} has not {hold.grant.role} on {hold.resource}"
                    found.append(words)
            return tuple(found)

    async def grant(self, identity: Identity) -> None:
        """Identity and secrets at once, and without a look at what the secrets are."""
        async with answering("grant", identity.job):
            needs = _needs(identity)
            await self._ensure(identity, needs)
            await self._settle(identity, StepKind.IDENTITY, needs.other_holds)
            await self._settle(identity, StepKind.SECRETS, needs.secret_holds)

    # -- steps -----------------------------------------------------------------------------------
    async def _identity(self, identity: Identity) -> Settled:
        needs = _needs(identity)
        made = await self._ensure(identity, needs)
        done = await self._settle(identity, StepKind.IDENTITY, needs.other_holds)
        words = [f"it runs as {needs.account}" if needs.names_account else _NO_IDENTITY]
        unknown = sorted({hold.grant.role for hold in needs.other_holds} - ROLES.keys())
        if unknown:
            words.append(f"{', '.join(unknown)} allows nothing on this machine")
        touched = (("service account", needs.account),) if made else ()
        return Settled("; ".join(words), (*touched, *_touched(done.added)))

    async def _secrets(self, identity: Identity) -> Settled:
        """What it owns comes back with it, when it was deleted: so that is looked at first."""
        needs = _needs(identity)
        back = await self._cloud.secrets.restore(_secrets_of(identity), _owner(identity))
        undo = tuple((_OWNED, name) for name in back)
        await self._check(identity, needs, back)
        done = await self._settle(identity, StepKind.SECRETS, needs.secret_holds)
        if not needs.refs:
            return Settled("it reads no secret", _touched(done.removed), undo)
        names = ", ".join(dict.fromkeys(secret for secret, _ in needs.refs))
        return Settled(f"it reads {names}", _touched(done.added), undo)

    async def _unbind(self, identity: Identity) -> Settled:
        gone = [
            *(await self._settle(identity, StepKind.IDENTITY, ())).removed,
            *(await self._settle(identity, StepKind.SECRETS, ())).removed,
        ]
        accounts = await self._cloud.accounts.release(_holder(identity))
        touched = (*_touched(gone), *(("service account", each.email) for each in accounts))
        return Settled("what was granted for it alone is taken back", touched)

    async def _retire(self, identity: Identity) -> Settled:
        names = await self._cloud.secrets.retire(_secrets_of(identity), _owner(identity))
        touched = tuple(("access to secret", name) for name in names)
        words = "secrets that were its alone are disabled" if names else "it owned no secret"
        return Settled(words, touched)

    # -- parts -----------------------------------------------------------------------------------
    async def _ensure(self, identity: Identity, needs: Needs) -> bool:
        """True when the service account had to be made. Raises ProviderRefused for a disabled one.
        The project's default one is always there."""
        if not needs.names_account:
            return False
        project = cloud_project(identity.project, identity.environment)
        account, made = await self._cloud.accounts.ensure(_holder(identity), project, needs.account)
        if account.disabled:
            raise ProviderRefused(
                f"service account {account.email} of job {identity.job} is disabled",
                name=NAME,
                hint="enable it, or let the job run as another one",
            )
        return made

    async def _check(self, identity: Identity, needs: Needs, back: Sequence[str]) -> None:
        """Raises ProviderRefused with every version that there is not, or that is not enabled; what
        came back with the job goes again then."""
        project = _secrets_of(identity)
        bad = await self._bad_secrets(project, needs)
        if bad:
            if back:
                await self._cloud.secrets.retire(project, _owner(identity))
            words = "; ".join(words for words, _ in bad)
            hint = f"{bad[0][1]}, then apply again"
            raise ProviderRefused(
                f"job {identity.job} cannot read its secrets: {words}", name=NAME, hint=hint
            )

    async def _bad_secrets(self, project: str, needs: Needs) -> list[tuple[str, str]]:
        """Every version that there is not, or that is not enabled, with what to do."""
        bad = []
        for secret, version in needs.refs:
            try:
                found = await self._cloud.secrets.version(project, secret, version)
            except NotFound as error:
                bad.append((error.message, error.hint or f"`runyard secrets add-version {secret}`"))
                continue
            if found.state is not VersionState.ENABLED:
                words = f"version {found.number} of secret {secret} is {found.state.lower()}"
                bad.append((words, f"see `runyard secrets versions {secret}`"))
        return bad

    async def _settle(
        self, identity: Identity, kind: StepKind, wanted: Iterable[Hold]
    ) -> Settlement:
        return await self._cloud.policies.settle(f"{_holder(identity)}#{kind}", wanted)


def _needs(identity: Identity, *, before: bool = False) -> Needs:
    project = cloud_project(identity.project, identity.environment)
    return Needs(project, identity.before if before else identity.document)


def _holder(identity: Identity) -> str:
    return holder_of(cloud_project(identity.project, identity.environment), identity.job)


def _owner(identity: Identity) -> tuple[str, str]:
    return (identity.project, identity.job)


def _secrets_of(identity: Identity) -> str:
    return secrets_project(cloud_project(identity.project, identity.environment))


def _touched(holds: Iterable[Hold]) -> Names:
    return tuple(
        ("binding", f"{hold.grant.role} on {hold.resource} for {hold.grant.member}")
        for hold in holds
    )
