"""Reading the audit log: pages, exports, and whether its chains hold."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from chatbot.db.sessions import Database
from chatbot.identity.audit import repository
from chatbot.identity.audit.chain import GENESIS
from chatbot.identity.audit.repository import Sought, StoredLink

_BATCH = 500


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a chain.

    Attributes:
        rows: how many hold, from the first on.
        head: the hash of the last of them: kept elsewhere, it shows later that nothing before it was changed.
        broken_at: the number of the first row that does not hold; None: all hold.
        words: what is wrong with it.
    """

    tenant_id: UUID
    rows: int
    head: str
    broken_at: int | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class NamedLink:
    """A row with the present name of the person who acted."""

    stored: StoredLink
    actor_name: str | None


class AuditReader:
    """Reads the audit log; a chain is given by its tenant, or `chain.PLATFORM`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, chain: UUID, sought: Sought, *, before: int | None, limit: int) -> list[NamedLink]:
        """Return rows of a chain, newest first; one more than the limit when there are more."""
        async with self._database.platform() as session:
            rows = await repository.page(session, chain, sought, before=before, limit=limit + 1)
            people = {user_id for row in rows if (user_id := _user_of(row.link.actor))}
            names = await repository.names_of(session, people) if people else {}
        return [NamedLink(row, _name(row.link.actor, names)) for row in rows]

    async def everything(self, chain: UUID, sought: Sought) -> AsyncIterator[NamedLink]:
        """Give every row of a chain that is looked for, newest first, some at a time."""
        before: int | None = None
        while True:
            rows = await self.page(chain, sought, before=before, limit=_BATCH)
            for row in rows[:_BATCH]:
                yield row
            if len(rows) <= _BATCH:
                return
            before = rows[_BATCH - 1].stored.link.seq

    async def chains(self) -> list[UUID]:
        """Return every chain."""
        async with self._database.platform() as session:
            return await repository.chains(session)

    async def verify(self, chain: UUID) -> Verdict:
        """Compute a chain's hashes anew, from its first row to its last."""
        async with self._database.platform() as session:
            noted = (await repository.heads(session)).get(chain, (0, GENESIS))
        seq, last = 0, GENESIS
        while seq < noted[0]:
            async with self._database.platform() as session:
                rows = await repository.after(session, chain, seq, _BATCH)
            for row in rows:
                trouble = _trouble(row, seq + 1, last)
                if trouble:
                    return Verdict(chain, seq, last, seq + 1, trouble)
                seq, last = row.link.seq, row.hash
                if seq == noted[0]:
                    break
            if not rows:
                break
        if (seq, last) != noted:
            return Verdict(chain, seq, last, seq + 1, f"the chain ends here, and its head says row {noted[0]}")
        return await self._nothing_behind(Verdict(chain, seq, last))

    async def _nothing_behind(self, verdict: Verdict) -> Verdict:
        """Whether rows stand behind the head, which is written with each of them; new ones move it."""
        async with self._database.platform() as session:
            behind = await repository.after(session, verdict.tenant_id, verdict.rows, 1)
            head, _ = (await repository.heads(session)).get(verdict.tenant_id, (0, GENESIS))
        if behind and head <= verdict.rows:
            number = behind[0].link.seq
            return replace(verdict, broken_at=number, words=f"row {number} stands behind the chain's head")
        return verdict


def _trouble(row: StoredLink, seq: int, previous: str) -> str:
    if row.link.seq != seq:
        return f"row {seq} is missing"
    if row.previous_hash != previous:
        return f"row {seq} does not follow the row before"
    return "" if row.link.hash_after(previous) == row.hash else f"row {seq} was changed"


def _name(actor: str, names: Mapping[UUID, str]) -> str | None:
    user_id = _user_of(actor)
    return names.get(user_id) if user_id else None


def _user_of(actor: str) -> UUID | None:
    kind, _, user_id = actor.partition(":")
    return UUID(user_id) if kind == "user" else None
