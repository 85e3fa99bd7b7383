"""The principals, tokens, exceptions and audit entries that one batch of decisions works on."""

from __future__ import annotations

from runyard.database.port import Tx
from runyard.model.audit import AuditEntry
from runyard.model.ids import ExceptionId, TokenId
from runyard.model.policy import GuardException
from runyard.model.principal import Principal, Token
from runyard.store.memory import Store


class PeopleSet:
    """Loaded together, changed in memory, written together. `principals` are all of them: they
    are few, and whether one is the last admin depends on the others."""

    def __init__(self, store: Store, tx: Tx) -> None:
        self._store = store
        self._tx = tx
        self.principals: dict[str, Principal] = {}
        self.tokens: dict[TokenId, Token] = {}
        self.exceptions: dict[ExceptionId, GuardException] = {}
        self._entries: list[AuditEntry] = []
        self._changed: tuple[set[str], set[TokenId], set[ExceptionId]] = (set(), set(), set())
        self._has_principals = False

    async def load_principals(self) -> None:
        """Bring in every principal."""
        if not self._has_principals:
            found = await self._store.people.principals(self._tx)
            self.principals = {one.name: one for one in found}
            self._has_principals = True

    async def load_token(self, token: TokenId) -> None:
        """Bring in the token with this id, if there is one."""
        if token not in self.tokens:
            found = await self._store.people.token(self._tx, token)
            self.tokens |= {found.id: found} if found else {}

    async def load_exception(self, exception: ExceptionId) -> None:
        """Bring in the exception with this id, if there is one."""
        if exception not in self.exceptions:
            found = await self._store.people.exception(self._tx, exception)
            self.exceptions |= {found.id: found} if found else {}

    def put_principal(self, principal: Principal) -> None:
        """Keep a new or changed principal."""
        self.principals[principal.name] = principal
        self._changed[0].add(principal.name)

    def put_token(self, token: Token) -> None:
        """Keep a new or changed token."""
        self.tokens[token.id] = token
        self._changed[1].add(token.id)

    def put_exception(self, exception: GuardException) -> None:
        """Keep a new or changed exception."""
        self.exceptions[exception.id] = exception
        self._changed[2].add(exception.id)

    def record(self, entry: AuditEntry) -> None:
        """Add an entry to the audit log, after those of this batch so far."""
        self._entries.append(entry)

    async def write(self) -> None:
        """Write all of it."""
        people, (names, tokens, exceptions) = self._store.people, self._changed
        await people.put_principals(self._tx, [self.principals[one] for one in sorted(names)])
        await people.put_tokens(self._tx, [self.tokens[one] for one in sorted(tokens)])
        await people.put_exceptions(self._tx, [self.exceptions[one] for one in sorted(exceptions)])
        await self._store.audit.append(self._tx, self._entries)
