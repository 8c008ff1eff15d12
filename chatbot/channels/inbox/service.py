"""Takes events: each stored once, with its message, its entry in the event log and the job that answers it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import procrastinate

from chatbot.channels.accounts import ConnectedChannel
from chatbot.channels.errors import LeaseLost
from chatbot.channels.events import (
    Content,
    Deleted,
    Echo,
    Edited,
    Followed,
    InboundEvent,
    Media,
    Message,
    Reaction,
    Receipt,
    Unfollowed,
    Unsupported,
)
from chatbot.channels.inbox import repository
from chatbot.channels.inbox.attachments import AttachmentStore
from chatbot.channels.inbox.incoming import incoming_of
from chatbot.channels.inbox.repository import EventToStore
from chatbot.channels.inbox.storable import clean, key, plain, rest_of, words_of
from chatbot.channels.mail import MAIL, answered
from chatbot.channels.outbox import repository as outbox
from chatbot.channels.queueing import answer_soon
from chatbot.core.ids import new_id
from chatbot.core.metrics import CHANNEL_EVENTS
from chatbot.core.telemetry import span
from chatbot.db.sessions import Database, TenantSession
from chatbot.db.stored_files import was_committed
from chatbot.dialogue import waiting_repository as messages
from chatbot.dialogue.hot_sessions import HotSession, HotSessions
from chatbot.dialogue.log_repository import EventRow, append
from chatbot.dialogue.receive import Received, receive
from chatbot.identity.mail import TakeAnswer

_KINDS: dict[type[Content], str] = {
    Message: "message",
    Edited: "edited",
    Deleted: "deleted",
    Reaction: "reaction",
    Receipt: "receipt",
    Echo: "echo",
    Followed: "followed",
    Unfollowed: "unfollowed",
    Unsupported: "unsupported",
}


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of some events."""

    new: int
    repeated: int


@dataclass(frozen=True, slots=True)
class Position:
    """How far a listener has come, and who must still hold the lease of its channel: else nothing is stored."""

    cursor: Mapping[str, Any]
    owner: str


@dataclass(slots=True)
class _Work:
    """What one transaction gathers on its way.

    Attributes:
        files: keys of files that came along and have a row.
        is_whole: nothing but the COMMIT is left; before that nothing can have been committed.
    """

    links: list[dict[str, Any]] = field(default_factory=list)
    log: list[EventRow] = field(default_factory=list)
    to_answer: set[UUID] = field(default_factory=set)
    hot: list[HotSession] = field(default_factory=list)
    files: set[str] = field(default_factory=set)
    is_whole: bool = False


class Inbox:
    """The inbox of one process."""

    def __init__(
        self,
        database: Database,
        jobs: procrastinate.App,
        files: AttachmentStore,
        hot_sessions: HotSessions,
        take_answer: TakeAnswer | None = None,
    ) -> None:
        self._database = database
        self._jobs = jobs
        self._files = files
        self._hot_sessions = hot_sessions
        self._take_answer = take_answer

    async def take(
        self,
        channel: ConnectedChannel,
        events: Sequence[InboundEvent],
        position: Position | None = None,
        *,
        once: str = "",
    ) -> Taken:
        """Store events in one transaction; when this returns they are durable, whatever is killed afterwards.

        Args:
            position: how far a listener has come with these.
            once: what of the request's proof is good once; with one that came before, all of it is a repeat.

        Raises:
            NotFound: the channel was removed or switched off in between.
            LeaseLost: the listener is another's by now.
        """
        with span("message", channel_type=channel.channel_type, events=len(events)):
            return await self._take(channel, events, position, once)

    async def _take(
        self, channel: ConnectedChannel, events: Sequence[InboundEvent], position: Position | None, once: str
    ) -> Taken:
        rows = [(_row(event), event) for event in events]
        kept: dict[int, str] = {}
        work = _Work()
        try:
            await self._keep(channel, rows, kept)
            new = await self._store(channel, rows, work, kept, position, once)
        except BaseException:
            if not (work.is_whole and await self._was_committed(channel, rows)):
                await self._files.drop(kept.values())
            raise
        await self._files.drop(set(kept.values()) - work.files)
        for hot in work.hot:
            self._hot_sessions.note(hot)
        for row, _ in rows:
            CHANNEL_EVENTS.labels(channel.channel_type, row.kind if row.id in new else "repeated").inc()
        return Taken(len(new), len(rows) - len(new))

    async def _was_committed(
        self, channel: ConnectedChannel, rows: Sequence[tuple[EventToStore, InboundEvent]]
    ) -> bool:
        """Whether only the answer to the COMMIT was lost: then the rows are there and keep their files."""
        ids = [row.id for row, _ in rows]
        return await was_committed(
            self._database, channel.tenant_id, lambda session: repository.any_stored(session, ids)
        )

    async def _store(
        self,
        channel: ConnectedChannel,
        rows: Sequence[tuple[EventToStore, InboundEvent]],
        work: _Work,
        kept: Mapping[int, str],
        position: Position | None,
        once: str,
    ) -> set[UUID]:
        """Store events and do what they ask for, in one transaction; return those that are new."""
        async with self._database.tenant(channel.tenant_id) as session:
            if once and not await repository.insert_events(session, channel.channel_id, [_proof_row(once)]):
                return set()
            new = (
                await repository.insert_events(session, channel.channel_id, [row for row, _ in rows]) if rows else set()
            )
            # Conversations are locked in one order everywhere, so that two processes never wait crosswise.
            for row, event in sorted(rows, key=lambda pair: pair[0].thread):
                if row.id in new:
                    await self._apply(session, channel, row, event, work, kept)
            await repository.link_events(session, work.links)
            await append(session, work.log)
            for conversation_id in sorted(work.to_answer):
                await answer_soon(self._jobs, session, channel.tenant_id, conversation_id)
            if position and not await repository.save_cursor(
                session, channel.channel_id, position.cursor, position.owner
            ):
                raise LeaseLost
            work.is_whole = True
        return new

    async def _keep(
        self, channel: ConnectedChannel, rows: Sequence[tuple[EventToStore, InboundEvent]], kept: dict[int, str]
    ) -> None:
        """Store the files that came along, before a transaction waits for them.

        Not those of known events: a mail service that repeats itself sends all files again, and nobody would own them.

        Args:
            kept: takes the key of each as soon as it is stored, by the identity of its `Media`.
        """
        along = [(row, media) for row, event in rows for media in _inline_media(event)]
        if not along:
            return
        async with self._database.tenant_reader(channel.tenant_id) as session:
            ids = [row.provider_event_id for row, _ in along]
            known = await repository.known_events(session, channel.channel_id, ids)
        for row, media in along:
            if row.provider_event_id not in known:
                kept[id(media)] = await self._files.keep(channel.tenant_id, media)

    async def _apply(
        self,
        session: TenantSession,
        channel: ConnectedChannel,
        row: EventToStore,
        event: InboundEvent,
        work: _Work,
        kept: Mapping[int, str],
    ) -> None:
        """Do what one new event asks for."""
        content = event.content
        if isinstance(content, Message):
            await self._message(session, channel, row, event, content, work, kept)
        elif isinstance(content, Edited | Deleted | Reaction):
            changed = await _change(session, channel, row, event, content)
            if changed:
                if isinstance(content, Deleted):
                    await self._files.take_back(session, changed[0])
                work.links.append({"id": row.id, "message_id": changed[0], "conversation_id": changed[1]})
                work.log.append(EventRow(f"message.{row.kind}", _about(channel, *changed)))
        elif isinstance(content, Receipt):
            await self._receipt(session, channel, row, content, work)
        elif isinstance(content, Followed | Unfollowed):
            work.log.append(
                EventRow(f"visitor.{row.kind}", {"channel_id": str(channel.channel_id), "thread": row.thread})
            )

    async def _message(
        self,
        session: TenantSession,
        channel: ConnectedChannel,
        row: EventToStore,
        event: InboundEvent,
        message: Message,
        work: _Work,
        kept: Mapping[int, str],
    ) -> None:
        if await self._answers_a_letter(session, channel, event, message, kept):
            work.files.update(kept.get(id(media), "") for media in message.media)
            return
        if not event.addressed and not await repository.conversation_of_thread(session, channel.channel_id, row.thread):
            return
        received = await receive(session, incoming_of(channel, event, message))
        if received is None:
            return
        links: dict[str, Any] = {
            "id": row.id, "message_id": received.message_id, "conversation_id": received.conversation_id
        }  # fmt: skip
        if event.keeps:
            links["context"] = await _kept(session, received.conversation_id, event, row, work)
        work.links.append(links)
        work.hot.append(received.hot)
        for media in message.media:
            await self._files.add(session, channel.channel_id, received.message_id, media, kept.get(id(media)))
            work.files.add(kept.get(id(media), ""))
        if received.state == "bot":
            work.to_answer.add(received.conversation_id)
        self._note_waiting(channel, received, work)

    async def _answers_a_letter(
        self,
        session: TenantSession,
        channel: ConnectedChannel,
        event: InboundEvent,
        message: Message,
        kept: Mapping[int, str],
    ) -> bool:
        """Hand a mail under the thread of a letter to whoever wrote that; no conversation is begun then."""
        if self._take_answer is None or channel.channel_type != MAIL:
            return False
        blobs = [(media, kept[id(media)]) for media in message.media if id(media) in kept]
        return await self._take_answer(session, answered(event, message, blobs))

    def _note_waiting(self, channel: ConnectedChannel, received: Received, work: _Work) -> None:
        """A message that a person must answer is told of by name: nobody else will."""
        if received.state in ("waiting", "human"):
            work.log.append(
                EventRow("message.for_person", _about(channel, received.message_id, received.conversation_id))
            )

    async def _receipt(
        self, session: TenantSession, channel: ConnectedChannel, row: EventToStore, receipt: Receipt, work: _Work
    ) -> None:
        if receipt.before is not None:
            conversation_id = await repository.conversation_of_thread(session, channel.channel_id, row.thread)
            if conversation_id:
                await outbox.receipt_until(session, conversation_id, receipt.status, receipt.before)
            return
        for delivery_id, message_id in await outbox.receipt_for(
            session, channel.channel_id, [clean(one) for one in receipt.message_ids], receipt.status,
            clean(receipt.reason)[:500],
        ):  # fmt: skip
            if receipt.status == "failed":
                about = {"channel_id": str(channel.channel_id), "delivery_id": str(delivery_id)}
                work.log.append(EventRow("delivery.failed", {**about, "message_id": message_id and str(message_id)}))


async def _kept(
    session: TenantSession, conversation_id: UUID, event: InboundEvent, row: EventToStore, work: _Work
) -> dict[str, Any]:
    """Return an event's context with what must stay as the event before it in the conversation has it."""
    await repository.link_events(session, work.links)
    work.links.clear()
    before = await repository.last_thread_of(session, conversation_id)
    stays = {name: before[1][name] for name in event.keeps if name in before[1]} if before else {}
    return {**row.context, **stays}


async def _change(
    session: TenantSession,
    channel: ConnectedChannel,
    row: EventToStore,
    event: InboundEvent,
    content: Edited | Deleted | Reaction,
) -> tuple[UUID, UUID] | None:
    """Apply an edit, a deletion or a reaction to the message that it names; None when we do not have it."""
    if isinstance(content, Edited):
        words = words_of(content.message)
        return await messages.edit_message(
            session, channel.channel_id, content.message_id, words, rest_of(content.message)
        )
    if isinstance(content, Deleted):
        return await messages.delete_message(session, channel.channel_id, content.message_id)
    message_id = await messages.message_of_provider(session, channel.channel_id, content.message_id)
    message_id = message_id or await outbox.message_of(session, channel.channel_id, content.message_id)
    by = key(event.sender.id) if event.sender else row.thread
    return await messages.react(session, message_id, by, content.emoji) if message_id else None


def _row(event: InboundEvent) -> EventToStore:
    kind = _KINDS[type(event.content)]
    payload = plain(dict(event.raw)) if event.raw else {}
    if not isinstance(event.content, Message | Unsupported):
        payload = plain(event.content)
    if isinstance(event.content, Unsupported):
        payload = {"name": event.content.name, "raw": payload}
    return EventToStore(new_id(), key(event.id), kind, key(event.thread), plain(dict(event.context)), payload, event.at)


def _proof_row(once: str) -> EventToStore:
    """What keeps a proof from counting twice; it says nothing else."""
    return EventToStore(new_id(), f"proof:{hashlib.sha256(once.encode()).hexdigest()}", "proof", "", {}, {}, None)


def _inline_media(event: InboundEvent) -> list[Media]:
    media = event.content.media if isinstance(event.content, Message) else ()
    return [one for one in media if one.content is not None]


def _about(channel: ConnectedChannel, message_id: UUID, conversation_id: UUID) -> dict[str, Any]:
    return {
        "channel_id": str(channel.channel_id),
        "brand_id": str(channel.brand_id),
        "message_id": str(message_id),
        "conversation_id": str(conversation_id),
    }
