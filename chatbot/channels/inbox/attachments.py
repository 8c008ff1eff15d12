"""Customers' files: stored in the blob store under a name of ours, their type taken from their content."""

from collections.abc import Iterable
from uuid import UUID

import procrastinate

from chatbot.channels.accounts import Accounts
from chatbot.channels.events import Media
from chatbot.channels.inbox import attachments_repository as repository
from chatbot.channels.inbox.file_type import mime_of
from chatbot.channels.inbox.storable import clean
from chatbot.channels.queueing import download_soon
from chatbot.core.blobs import BlobStore
from chatbot.core.errors import NotFound, Unavailable
from chatbot.core.ids import new_id
from chatbot.core.safe_address import AddressRefused
from chatbot.core.safe_http import ResponseTooLarge, SafeHttp
from chatbot.db.models import Attachment
from chatbot.db.sessions import Database, TenantSession
from chatbot.jobs.stored_files import drop_files


class AttachmentStore:
    """Keeps and fetches files for one process.

    Args:
        max_bytes: a larger file is refused, with the reason on its row.
    """

    def __init__(
        self,
        database: Database,
        blobs: BlobStore,
        jobs: procrastinate.App,
        accounts: Accounts,
        http: SafeHttp,
        *,
        max_bytes: int,
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._jobs = jobs
        self._accounts = accounts
        self._http = http
        self._max_bytes = max_bytes

    async def keep(self, tenant_id: UUID, media: Media) -> str:
        """Store a file that came with its event and return its key; empty when it is too large."""
        content = media.content or b""
        if len(content) > self._max_bytes:
            return ""
        blob_key = f"attachments/{tenant_id}/{new_id()}"
        await self._blobs.put(blob_key, content)
        return blob_key

    async def drop(self, keys: Iterable[str]) -> None:
        """Remove files that came to belong to nobody; what cannot be removed now, a job removes."""
        left = []
        for key in filter(None, keys):
            try:
                await self._blobs.delete(key)
            except Unavailable:
                left.append(key)
        if left:
            async with self._database.platform() as session:
                await drop_files(self._jobs, session, left)

    async def add(
        self, session: TenantSession, channel_id: UUID, message_id: UUID, media: Media, kept: str | None
    ) -> None:
        """Note a message's file; one that is still at the provider is fetched by a job.

        Args:
            kept: of a file that came along, what `keep` returned; None for others.
        """
        row = Attachment(
            tenant_id=session.tenant_id, id=new_id(), message_id=message_id, channel_id=channel_id, kind=media.kind,
            provider_ref=clean(media.ref), name=clean(media.name)[:200] if media.name else None,
            mime=clean(media.mime)[:200] if media.mime else None, size=media.size,
        )  # fmt: skip
        session.add(row)
        if media.content is not None:
            self._settle(row, kept or "", media.content)
        await session.flush()
        if media.content is None:
            await download_soon(self._jobs, session, session.tenant_id, row.id)

    async def take_back(self, session: TenantSession, message_id: UUID) -> None:
        """Remove a message's files, those still to be fetched too: its writer has taken it back."""
        keys = await repository.remove_of(session, message_id)
        if keys:
            await drop_files(self._jobs, session, keys)

    async def fetch(self, tenant_id: UUID, attachment_id: UUID) -> None:
        """Fetch a file from its provider and store it; repeated, it does nothing.

        Raises:
            OutgoingFailed: the provider did not answer properly; the job is tried again.
            Unavailable: the file store is away; likewise.
        """
        async with self._database.tenant_reader(tenant_id) as session:
            row = await repository.get(session, attachment_id)
        if row is None or row.status != "pending":
            return
        media = Media(row.kind, row.provider_ref, row.mime, row.name, row.size)  # type: ignore[arg-type]
        try:
            channel = await self._accounts.get(row.channel_id)
            content = await channel.provider.download(channel.account, media, self._http, max_bytes=self._max_bytes)
        except (ResponseTooLarge, AddressRefused, NotFound) as error:
            await self.refuse(tenant_id, attachment_id, error.detail)
            return
        blob_key = f"attachments/{tenant_id}/{attachment_id}"
        await self._blobs.put(blob_key, content)
        async with self._database.tenant(tenant_id) as session:
            stored = await repository.lock(session, attachment_id)
            if stored is not None:
                self._settle(stored, blob_key, content)
                await session.flush()
        if stored is None:  # erased, taken back, grown too old: nobody would know of the file
            await self._blobs.delete(blob_key)

    async def refuse(self, tenant_id: UUID, attachment_id: UUID, reason: str) -> None:
        """Give a file up, with the reason on its row."""
        async with self._database.tenant(tenant_id) as session:
            row = await repository.get(session, attachment_id)
            if row is not None:
                row.status, row.reason = "refused", reason[:500]
                await session.flush()

    def _settle(self, row: Attachment, blob_key: str, content: bytes) -> None:
        row.size = len(content)
        if not blob_key:
            row.status, row.reason = "refused", f"larger than {self._max_bytes} bytes"
            return
        row.blob_key, row.status, row.mime = blob_key, "stored", mime_of(content, row.name)
