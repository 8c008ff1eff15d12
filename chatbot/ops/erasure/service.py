"""Erases a visitor: finds who is meant, and removes everything; what breaks on the way can be asked for again."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import procrastinate

from chatbot.channels.registry import PROVIDERS
from chatbot.core.blobs import BlobStore
from chatbot.core.errors import Conflict, NotFound, Unavailable
from chatbot.core.ids import new_id
from chatbot.core.logging import get_logger
from chatbot.db.models import Erasure
from chatbot.db.sessions import Database, PlatformSession
from chatbot.dialogue.hot_sessions import HotSessions
from chatbot.identity.audit.acting import note
from chatbot.identity.tenants.service import require_living
from chatbot.jobs.stored_files import drop_files
from chatbot.ops.erasure import folders, repository
from chatbot.ops.erasure.holdings_repository import Scope, counted, files_of, remove
from chatbot.ops.erasure.schemas import EraseVisitor, ErasureReceipt, Removed

log = get_logger(__name__)

_TELLING = frozenset({"email", "address", "phone", "telephone", "mobile", "username", "number"})
"""Fields of a visitor whose values are theirs alone, and are looked for wherever text is kept."""

_SHORTEST = 6
"""A shorter word is found in what has nothing to do with the visitor."""

_TELLS = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+|\+?[\d\s().-]{7,}")
"""Addresses of mail and telephone numbers. Names that people give themselves may be words that stand everywhere."""

_ONE_PERSON = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+|\+[\d\s().-]{7,}|\d{10,15}|[a-z_]{2,32}:\S{16,}")
"""What is somebody's wherever it stands: no date, no address of a machine, no id that another tenant may give, too."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where a visitor may be beside the database.

    Attributes:
        exports: folders of exported files.
        logs: the folder of log files.
    """

    blobs: BlobStore
    queue: procrastinate.App
    hot_sessions: HotSessions
    exports: Sequence[Path]
    logs: Path


@dataclass(frozen=True, slots=True)
class _Sought:
    """What is looked for in folders.

    Attributes:
        known: something stands in the tenant's rows, or did when it was erased. What somebody has merely named is
            looked for in the tenant's own exports and lines alone: log files are everybody's.
    """

    scope: Scope
    known: bool

    def marks(self) -> list[str]:
        """By what an exported file is known to be about the visitor."""
        return [*map(str, self.scope.conversations), *map(str, self.scope.tickets), *self.scope.needles]

    def words(self) -> folders.Words:
        """What is blanked in which lines of logs."""
        own = self.scope.needles
        return folders.Words(
            self.scope.tenant_id, own, [each for each in own if _ONE_PERSON.fullmatch(each)] if self.known else ()
        )


@dataclass(frozen=True, slots=True)
class Erasing:
    """Erases visitors, and counts what would go."""

    database: Database
    places: Places

    async def erase(self, tenant_id: UUID, wanted: EraseVisitor, requested_by: str) -> ErasureReceipt:
        """Erase a visitor, or (dry run) count; erasing again one who was erased gives a receipt of nothing.

        Raises:
            NotFound: no such tenant, conversation or visitor.
            Conflict: several visitors go by the name.
        """
        receipt = Erasure(
            tenant_id=tenant_id, id=new_id(), requested_by=requested_by, named_by=wanted.named_by,
            visitor_hash=_hash(tenant_id, wanted.name), removed={},
        )  # fmt: skip
        sought, foreseen = await self._foreseen(receipt, wanted)
        if wanted.dry_run:
            return _view(receipt, foreseen, dry_run=True)
        # Before the rows are gone: nothing but they tells what to look for, should this break. And in no transaction:
        # gigabytes of logs may have to be read.
        removed = await self._searched(sought, Removed())
        async with self.database.platform() as session:
            await require_living(session, tenant_id)
            scope = await _scope(session, tenant_id, wanted, hold=True)
            files = await files_of(session, scope)
            rows = await remove(session, scope)
            removed = removed.model_copy(update={"rows": rows, "files": len(files)})
            if files:
                await drop_files(self.places.queue, session, files)
            await repository.tell(session, tenant_id, scope.conversations)
            note(target=f"erasure:{receipt.id}", detail={"rows": sum(removed.rows.values())}, chains=[tenant_id])
            receipt.removed = removed.model_dump()
            await repository.keep(session, receipt)
        # What was written while the folders were read.
        removed = await self._searched(_Sought(scope, known=sought.known), removed)
        removed = await self._beside(scope, files, removed)
        async with self.database.platform() as session:
            await repository.complete(session, receipt, removed.model_dump())
        log.info("a visitor was erased", tenant_id=str(tenant_id), erasure_id=str(receipt.id))
        return _view(receipt, removed, dry_run=False)

    async def receipts(self, tenant_id: UUID, *, before: UUID | None, limit: int) -> list[ErasureReceipt]:
        """Return a tenant's receipts, newest first; one more than the limit when there are more."""
        async with self.database.tenant_reader(tenant_id) as session:
            rows = await repository.page(session, before=before, limit=limit + 1)
        return [_view(row, Removed.model_validate(row.removed), dry_run=False) for row in rows]

    async def _foreseen(self, receipt: Erasure, wanted: EraseVisitor) -> tuple["_Sought", Removed]:
        """Find out who is meant and count what would go; the transaction is over before the folders are read.

        Raises:
            NotFound: nothing is there of whoever was named, and nothing ever was: it is a slip, not an erasure.
        """
        async with self.database.platform() as session:
            await require_living(session, receipt.tenant_id)
            scope = await _scope(session, receipt.tenant_id, wanted)
            removed = Removed(rows=await counted(session, scope), files=len(await files_of(session, scope)))
            erased = await repository.was_erased(session, receipt.tenant_id, receipt.visitor_hash)
        sought = _Sought(scope, known=erased or bool(removed.rows))
        if wanted.dry_run or not sought.known:
            removed = await self._to_be_searched(sought, removed)
        if removed == Removed() and not sought.known:
            raise NotFound("no such visitor: nothing is kept of anybody by this name")
        return sought, removed

    async def _searched(self, sought: "_Sought", removed: Removed) -> Removed:
        """Remove what is found by what the visitor is called: exported files, words in logs."""
        dropped = await folders.drop_exports(self._exports(sought.scope), sought.marks())
        blanked = await folders.blank(self.places.logs, sought.words())
        return removed.model_copy(
            update={"exports": removed.exports + dropped, "log_marks": (removed.log_marks or 0) + blanked}
        )

    async def _to_be_searched(self, sought: "_Sought", removed: Removed) -> Removed:
        """Count what `_searched` would remove."""
        exports = await folders.count_exports(self._exports(sought.scope), sought.marks())
        return removed.model_copy(
            update={"exports": exports, "log_marks": await folders.count_words(self.places.logs, sought.words())}
        )

    def _exports(self, scope: Scope) -> list[Path]:
        return [folder / str(scope.tenant_id) for folder in self.places.exports]

    async def _beside(self, scope: Scope, files: Sequence[str], removed: Removed) -> Removed:
        """Remove what the rows led to: the queue deletes files that are left, what is in memory runs out."""
        return removed.model_copy(
            update={
                "files_waiting": len(files) - await delete_files(self.places.blobs, files),
                "sessions": await self.places.hot_sessions.forget(scope.conversations),
            }
        )


async def delete_files(blobs: BlobStore, keys: Iterable[str]) -> int:
    """Delete files now, and return how many went; the queue tries the others until the store answers."""
    deleted = 0
    for key in keys:
        try:
            await blobs.delete(key)
        except Unavailable:
            break
        deleted += 1
    return deleted


async def _scope(session: PlatformSession, tenant_id: UUID, wanted: EraseVisitor, *, hold: bool = False) -> Scope:
    """Follow a visitor from what was named to all that is theirs; `hold` it until the transaction ends."""
    email = (wanted.email or "").lower()
    subjects = await _known_as(session, tenant_id, wanted.visitor) if wanted.visitor else set()
    if wanted.conversation_id is not None:
        found = await repository.person_in(session, tenant_id, wanted.conversation_id)
        if found is None:
            raise NotFound("no such conversation")
        subjects |= {person for person in found if person}
    talks = await repository.conversations(
        session, tenant_id, subjects=sorted(subjects), conversation_id=wanted.conversation_id, email=email, hold=hold
    )
    subjects |= {talk.subject for talk in talks if talk.subject}
    forms = await repository.visitors(session, tenant_id, sorted(subjects), email)
    subjects |= {form.subject for form in forms if form.subject}
    words = {str(value).lower() for said in (*talks, *forms) for key, value in said.fields.items() if key in _TELLING}
    words |= {email} if email else set()
    conversations = [talk.id for talk in talks if talk.id]
    addresses = sorted(word for word in words if "@" in word)
    tickets = await repository.tickets(session, tenant_id, conversations, addresses, hold=hold)
    words |= {address.lower() for _, address in tickets if address}
    said = {word for word in words if _TELLS.fullmatch(word)} | {subject.lower() for subject in subjects}
    needles = {word for word in said if len(word) >= _SHORTEST}
    return Scope(tenant_id, conversations, [ticket for ticket, _ in tickets], sorted(subjects), sorted(needles))


async def _known_as(session: PlatformSession, tenant_id: UUID, name: str) -> set[str]:
    """Return who is meant by what the inbox shows of them, or by who they are in conversations.

    Raises:
        Conflict: it may be several.
    """
    found = await repository.known_as(session, tenant_id, name)
    if name in found or (not found and _is_subject(name)):  # of one who is gone something may be left all the same
        return {name}
    if len(found) > 1:
        raise Conflict(f"several visitors go by this name; say which one: {', '.join(found)}")
    return set(found)


def _is_subject(name: str) -> bool:
    kind, colon, person = name.partition(":")
    return bool(colon and person.strip()) and (kind == "visitor" or kind in PROVIDERS)


def _hash(tenant_id: UUID, name: str) -> str:
    return hashlib.sha256(f"{tenant_id}\n{name}".encode()).hexdigest()


def _view(receipt: Erasure, removed: Removed, *, dry_run: bool) -> ErasureReceipt:
    return ErasureReceipt.model_validate(
        {
            "id": None if dry_run else receipt.id,
            "dry_run": dry_run,
            "requested_by": receipt.requested_by,
            "named_by": receipt.named_by,
            "visitor_hash": receipt.visitor_hash,
            "removed": removed,
            "created_at": None if dry_run else receipt.created_at,
        }
    )
