"""Takes a tenant out of service, in the order of the runbook: each step may be done again after a break."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from chatbot.channels.service import ChannelService
from chatbot.core.clock import utcnow
from chatbot.core.crypto import SealBroken, Vault, hash_secret
from chatbot.core.errors import Conflict, NotFound
from chatbot.core.logging import get_logger
from chatbot.db.apart import apart
from chatbot.db.models import Tenant
from chatbot.db.sessions import Database, PlatformSession
from chatbot.identity.access.service import Access
from chatbot.identity.audit.acting import note
from chatbot.identity.audit.chain import PLATFORM
from chatbot.identity.audit.service import Entry, record
from chatbot.jobs.stored_files import drop_files
from chatbot.knowledge.index.vectors import VectorStore
from chatbot.ops.decommission import repository
from chatbot.ops.decommission.archive import Archive, write_archive
from chatbot.ops.decommission.repository import OldSecret
from chatbot.ops.decommission.schemas import (
    ArchiveView,
    Begun,
    DecommissionReceipt,
    DestroyedSecret,
    RevokedKey,
    stored,
)
from chatbot.ops.erasure.service import Places, delete_files

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Decommissioning:
    """Takes tenants out of service and brings them back."""

    database: Database
    places: Places
    channels: ChannelService
    vault: Vault
    restore_window: timedelta

    async def end(self, tenant_id: UUID, by: str, access: Access) -> DecommissionReceipt:
        """Take a tenant out of service; one that is so already has its receipt told again.

        Raises:
            NotFound: no such tenant.
            Unavailable: the file store does not take the archive; rules rest by then, all else is as before.
        """
        async with self.database.platform() as session:
            tenant = await _require(session, tenant_id)
            if tenant.deleted_at is not None:
                return await _told_again(session, tenant_id)
            note(target=f"tenant:{tenant_id}", chains=[PLATFORM, tenant_id])
            rules, jobs = await repository.rest(session, tenant_id, by)
            await _begin(session, tenant_id, by, Begun(rules_paused=rules, jobs=jobs))
        archive = await write_archive(self.database, self.places.blobs, tenant_id)
        async with self.database.platform() as session:
            secrets = await repository.secrets(session, tenant_id)
            channels = await repository.channels(session, tenant_id)
            begun = await _begin(session, tenant_id, by, Begun(channels=channels))
        for channel_id in channels:
            await self.channels.delete(tenant_id, channel_id)
        async with self.database.platform() as session:
            receipt = await self._close(session, tenant, by, archive, secrets, begun)
            await repository.keep(session, tenant_id, by, stored(receipt))
            await _tell(session, "tenant_decommissioned", by, receipt)
        access.forget()
        log.info("a tenant was taken out of service", tenant_id=str(tenant_id))
        return receipt

    async def receipts(self, *, before: UUID | None, limit: int) -> list[DecommissionReceipt]:
        """Return the receipts of tenants that are out of service, newest tenant first."""
        async with self.database.platform() as session:
            rows = await repository.receipts(session, before=before, limit=limit)
        return [DecommissionReceipt.model_validate(row) for row in rows]

    async def restore(self, tenant_id: UUID, access: Access) -> None:
        """Bring a tenant back with its data and web chats; messengers, secrets, keys and rules must be set up anew.

        Raises:
            NotFound: no tenant that is out of service.
            Conflict: the window is over.
        """
        async with self.database.platform() as session:
            receipt = await _told_again(session, tenant_id)
            since = utcnow() - self.restore_window
            note(target=f"tenant:{tenant_id}", chains=[PLATFORM, tenant_id])
            if not await repository.restore(session, tenant_id, since, list(map(str, receipt.channels))):
                raise Conflict(f"a tenant can be restored for {self.restore_window.days} days; that is over")
            # The data are back, and what is erased of them from now on must not stay in a copy.
            await drop_files(self.places.queue, session, [receipt.archive.key])
        await delete_files(self.places.blobs, [receipt.archive.key])
        access.forget()

    async def _close(
        self,
        session: PlatformSession,
        tenant: Tenant,
        by: str,
        archive: Archive,
        secrets: list[OldSecret],
        begun: Begun,
    ) -> DecommissionReceipt:
        await repository.destroy_secrets(session, tenant.id)
        keys = await repository.revoke_keys(session, tenant.id)
        ended = await repository.end_sessions(session, tenant.id)
        cancelled = {**await repository.end_work(session, tenant.id), "automation_jobs": begun.jobs}
        deleted_at = await repository.mark_deleted(session, tenant.id)
        if deleted_at is None:
            raise Conflict("this tenant is being taken out of service already")
        return DecommissionReceipt(
            tenant_id=tenant.id,
            name=tenant.name,
            requested_by=by,
            archive=ArchiveView.model_validate(archive),
            rules_paused=begun.rules_paused,
            cancelled=cancelled,
            channels=begun.channels,
            secrets=[DestroyedSecret(kind=old.kind, of=old.of, sha256=self._hash(tenant.id, old)) for old in secrets],
            api_keys=[RevokedKey(id=key, name=name, sha256=hashed) for key, name, hashed in keys],
            sessions_ended=ended,
            deleted_at=deleted_at,
            restorable_until=deleted_at + self.restore_window,
        )

    def _hash(self, tenant_id: UUID, old: OldSecret) -> str:
        """The hash of a secret; of one that no key opens any more, of its seal."""
        try:
            return hash_secret(self.vault.open(tenant_id, old.id, old.sealed))
        except SealBroken:
            return hash_secret(old.sealed.decode())


async def purge_tenants(database: Database, places: Places, store: VectorStore, before: datetime) -> int:
    """Remove the data of tenants that were deleted before a moment; return how many there were."""
    async with database.platform() as session:
        due = await repository.to_purge(session, before)
    for tenant_id in due:
        await apart(tenant_id, "its purge", partial(_purge, database, places, store, tenant_id))
    return len(due)


async def _purge(database: Database, places: Places, store: VectorStore, tenant_id: UUID) -> None:
    async with database.tenant_reader(tenant_id) as reader:
        embedded = await repository.embedded(reader)
    for brand_id, embedder in embedded:
        async with database.tenant(tenant_id) as session:  # begins with its first statement: none for a store elsewhere
            await store.forget(session, brand_id, embedder)
    async with database.platform() as platform:
        keys = await repository.files(platform, tenant_id)
        if keys:
            await drop_files(places.queue, platform, keys)
        await repository.purge(platform, tenant_id)
    await delete_files(places.blobs, keys)
    log.info("a tenant's data was purged", tenant_id=str(tenant_id))


async def _require(session: PlatformSession, tenant_id: UUID) -> Tenant:
    tenant = await repository.find_tenant(session, tenant_id)
    if tenant is None:
        raise NotFound("no such tenant")
    return tenant


async def _begin(session: PlatformSession, tenant_id: UUID, by: str, done: Begun) -> Begun:
    """Add to what was done by now, should the rest break, and return all of it."""
    before = Begun.model_validate((await repository.receipt_of(session, tenant_id) or {}).get("begun", {}))
    begun = Begun(
        rules_paused=before.rules_paused + done.rules_paused,
        jobs=before.jobs + done.jobs,
        channels=sorted({*before.channels, *done.channels}),
    )
    await repository.keep(session, tenant_id, by, {"begun": stored(begun)})
    return begun


async def _told_again(session: PlatformSession, tenant_id: UUID) -> DecommissionReceipt:
    tenant = await repository.find_tenant(session, tenant_id)
    receipt = await repository.receipt_of(session, tenant_id)
    if tenant is None or tenant.deleted_at is None or receipt is None:
        raise NotFound("no such tenant out of service")
    return DecommissionReceipt.model_validate(receipt)


async def _tell(session: PlatformSession, action: str, by: str, receipt: DecommissionReceipt) -> None:
    detail = {
        "archive": receipt.archive.key,
        "archive_sha256": receipt.archive.sha256,
        "channels": len(receipt.channels),
        "secrets_destroyed": len(receipt.secrets),
        "api_keys_revoked": len(receipt.api_keys),
        "sessions_ended": receipt.sessions_ended,
    }
    await record(session, Entry(by, action, f"tenant:{receipt.tenant_id}", detail), [PLATFORM, receipt.tenant_id])
