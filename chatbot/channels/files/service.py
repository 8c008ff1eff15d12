"""Takes files for messages and gives them back: checked by content, stored under a name of ours."""

import asyncio
import re
from collections.abc import Collection
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from uuid import UUID

from chatbot.channels.files.errors import FileTypeRefused, UploadsOff
from chatbot.channels.inbox.file_type import BY_EXTENSION, extension_of, is_what_it_says, mime_of
from chatbot.channels.widget.options import UploadRules
from chatbot.channels.widget.service import Widget
from chatbot.core.blobs import BlobStore, OpenFile
from chatbot.core.errors import NotFound
from chatbot.core.ids import new_id
from chatbot.db.sessions import Database, TenantReader
from chatbot.db.stored_files import unless_committed
from chatbot.dialogue import files_repository
from chatbot.dialogue.answerer import Answerer, Reply
from chatbot.dialogue.callers import only_owner
from chatbot.dialogue.files_repository import FileRow
from chatbot.dialogue.incoming import Incoming, StoredFile
from chatbot.dialogue.ownership import may_see
from chatbot.dialogue.repository import MessageRow
from chatbot.identity.subject import Role, Subject
from chatbot.knowledge.content import Content

_MAX_NAME = 200
_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Characters that turn the direction of what follows, by which `gpj.exe` is shown as `exe.jpg`."""


class MessageFiles:
    """The files of one process's conversations."""

    def __init__(self, database: Database, blobs: BlobStore, widget: Widget, answerer: Answerer) -> None:
        self._database = database
        self._blobs = blobs
        self._widget = widget
        self._answerer = answerer
        self._readers: set[asyncio.Task[object]] = set()

    async def rules(self, subject: Subject) -> UploadRules:
        """Return what a subject may upload into conversations of its brand.

        Raises:
            UploadsOff: visitors may send no files here.
            NotFound: the brand has no web channel in use.
        """
        assert subject.tenant_id
        config = self._widget.config(await self._widget.place(subject.tenant_id, subject.brand_id))
        if subject.role is Role.VISITOR and not config.features.uploads:
            raise UploadsOff
        return config.uploads

    async def say(self, incoming: Incoming, content: Content, types: Collection[str]) -> MessageRow:
        """Store a visitor's message with its file and have it answered; a repeat changes nothing.

        Args:
            incoming: with a client id, by which a repeat is known.
            types: extensions that are taken.

        Raises:
            FileTypeRefused: another extension, or one that the content is not of.
            as `Answerer.ask`.
        """
        file = await self._store(incoming.tenant_id, content, types)
        async with self._unless_noted(incoming.tenant_id, file):
            reply = await self._answerer.ask(replace(incoming, files=(file,)))
        self._read(reply)
        message = await self._message(incoming, reply)
        if not any(shown["id"] == str(file.id) for shown in message.attachments or ()):
            await self._blobs.delete(file.blob_key)  # of a repeat, whose file was stored before: nobody would own this
        return message

    async def keep(self, tenant_id: UUID, conversation_id: UUID, content: Content, uploaded_by: str) -> StoredFile:
        """Store a file that an agent is about to send.

        Raises:
            FileTypeRefused: as `say`; every type that can be checked is taken.
            NotFound: no such conversation.
        """
        file = await self._store(tenant_id, content, BY_EXTENSION)
        async with self._unless_noted(tenant_id, file), self._database.tenant(tenant_id) as session:
            await files_repository.keep(session, conversation_id, file, uploaded_by)
        return file

    async def of_visitor(self, subject: Subject, attachment_id: UUID) -> tuple[FileRow, OpenFile]:
        """Return a file of a message that the subject may read, with its content as it comes.

        Raises:
            NotFound: no such file, another visitor's, part of no message, or not stored.
        """
        assert subject.tenant_id
        row = await self._row(subject.tenant_id, attachment_id)
        if row.begun is None or not may_see(only_owner(subject), row.begun):
            raise NotFound("no such attachment")
        return row, await self._content(row)

    async def of_tenant(self, tenant_id: UUID, attachment_id: UUID) -> tuple[FileRow, OpenFile]:
        """Return any file of a tenant, with its content as it comes; raises `NotFound`."""
        row = await self._row(tenant_id, attachment_id)
        return row, await self._content(row)

    async def _store(self, tenant_id: UUID, content: Content, types: Collection[str]) -> StoredFile:
        name = _TURNS.sub("", content.filename or "file")[-_MAX_NAME:]
        if extension_of(name) not in types:
            raise FileTypeRefused(f"file: must be one of {', '.join(sorted(types))}")
        body = await asyncio.to_thread(_whole, content)
        if not is_what_it_says(body, name):
            raise FileTypeRefused(f"file: its content is not that of a {extension_of(name)} file")
        file = StoredFile(new_id(), name, mime_of(body, name), len(body), f"attachments/{tenant_id}/{new_id()}")
        await self._blobs.put(file.blob_key, body)
        return file

    def _unless_noted(self, tenant_id: UUID, file: StoredFile) -> AbstractAsyncContextManager[None]:
        async def is_noted(session: TenantReader) -> bool:
            return await files_repository.find(session, file.id) is not None

        return unless_committed(self._database, self._blobs, tenant_id, file.blob_key, is_noted)

    async def _message(self, incoming: Incoming, reply: Reply) -> MessageRow:
        assert incoming.client_message_id
        async with self._database.tenant_reader(incoming.tenant_id) as session:
            row = await files_repository.message_of_client(session, reply.conversation_id, incoming.client_message_id)
        if row is None:
            raise NotFound("no such message")
        return row

    async def _row(self, tenant_id: UUID, attachment_id: UUID) -> FileRow:
        async with self._database.tenant_reader(tenant_id) as session:
            row = await files_repository.find(session, attachment_id)
        if row is None:
            raise NotFound("no such attachment")
        return row

    async def _content(self, row: FileRow) -> OpenFile:
        if row.blob_key is None:
            raise NotFound("no such attachment")
        return await self._blobs.open(row.blob_key)

    def _read(self, reply: Reply) -> None:
        """Be a reader of the reply: a request that takes a file does not wait for it, and one unread is given up."""
        task: asyncio.Task[object] = asyncio.create_task(reply.wait())
        self._readers.add(task)
        task.add_done_callback(self._readers.discard)


def _whole(content: Content) -> bytes:
    content.body.seek(0)
    return content.body.read()
