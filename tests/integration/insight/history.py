"""Rows of conversations as they would have been written at given moments."""

import os
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import update

from chatbot.core.ids import least_id_at, new_id
from chatbot.db.models import (
    Brand,
    Channel,
    Conversation,
    CsatRating,
    Event,
    GapGroup,
    Handoff,
    KnowledgeGap,
    Message,
    Tenant,
    UsageRecord,
)
from chatbot.db.sessions import Database, PlatformSession
from tests.conftest import TenantRows


def id_at(moment: datetime) -> UUID:
    """A UUIDv7 of a moment."""
    return UUID(int=least_id_at(moment).int | int.from_bytes(os.urandom(7), "big"))


class History:
    """Writes a tenant's past."""

    def __init__(self, database: Database, tenant: TenantRows) -> None:
        self.database = database
        self.tenant = tenant
        self.second_brand, self.telegram = new_id(), new_id()

    async def begin(self, zone: str, since: datetime) -> None:
        """Let the tenant have been there since a moment, with a second brand that is on Telegram."""
        async with self.database.platform() as session:
            changed = update(Tenant).where(Tenant.id == self.tenant.id).values(timezone=zone, created_at=since)
            await session.execute(changed)
            session.add(Brand(tenant_id=self.tenant.id, id=self.second_brand, name="Second"))
            await session.flush()
            session.add(
                Channel(
                    tenant_id=self.tenant.id, id=self.telegram, brand_id=self.second_brand, channel_type="telegram",
                    display_name="T",
                )
            )  # fmt: skip

    async def conversation(self, at: datetime, *, telegram: bool = False, **more: Any) -> UUID:
        """A conversation with a question, an answer of the bot, and what else is named.

        Args:
            more: `mode` of the bot's reply; `waits` and `writes`: seconds from the wish for a person until one took it,
                and wrote; `closes`, `rated`, `gap` (its question), `tokens`.
        """
        async with self.database.platform() as session:
            return await self._conversation(session, at, telegram, more)

    async def _conversation(self, session: PlatformSession, at: datetime, telegram: bool, more: dict[str, Any]) -> UUID:
        owner = {"tenant_id": self.tenant.id}
        channel = self.telegram if telegram else self.tenant.channel_id
        brand = self.second_brand if telegram else self.tenant.brand_id
        place = {**owner, "conversation_id": id_at(at)}
        session.add(
            Conversation(
                **owner, id=place["conversation_id"], brand_id=brand, channel_id=channel, session_key=str(new_id()),
                created_at=at,
            )
        )  # fmt: skip
        await session.flush()
        reply = self._say(place, channel, 2, "bot", at, mode=more.get("mode", "extractive"))
        session.add_all([self._say(place, channel, 1, "visitor", at), reply])
        if "gap" in more:
            await self._gap(session, place, brand, more["gap"], at)
        if "waits" in more:
            taken = at + timedelta(seconds=more["waits"])
            session.add(Handoff(**place, id=id_at(at), requested_by="visitor", requested_at=at, answered_at=taken))
        for number, seconds in enumerate(more.get("writes", ())):
            session.add(self._say(place, channel, 3 + number, "agent", at + timedelta(seconds=seconds)))
        if "closes" in more:
            told = {"conversation_id": str(place["conversation_id"]), "channel_id": str(channel)}
            session.add(Event(**owner, name="conversation.closed", payload=told, occurred_at=at))
        if "rated" in more:
            session.add(
                CsatRating(**place, id=id_at(at), channel_id=channel, closed_at=at, score=more["rated"], created_at=at)
            )
        if "tokens" in more:
            session.add(self.usage(at, more["tokens"], reply.id))
        return UUID(str(place["conversation_id"]))

    def usage(self, at: datetime, tokens: int, message_id: UUID | None = None) -> UsageRecord:
        return UsageRecord(
            tenant_id=self.tenant.id, id=id_at(at), message_id=message_id, purpose="answer", model="m",
            outcome="completed", input_tokens=tokens, output_tokens=1, cost_micros=500, milliseconds=1, created_at=at,
        )  # fmt: skip

    def _say(
        self, place: dict[str, Any], channel: UUID, seq: int, role: str, at: datetime, mode: str | None = None
    ) -> Message:
        return Message(
            **place, id=id_at(at), channel_id=channel, seq=seq, role=role, text="x", mode=mode, created_at=at
        )

    async def _gap(
        self, session: PlatformSession, place: dict[str, Any], brand: UUID, question: str, at: datetime
    ) -> None:
        known = {"tenant_id": self.tenant.id, "brand_id": brand, "question": question, "evidence": 0.1}
        group_id = new_id()
        session.add(
            GapGroup(**known, id=group_id, group_key=new_id().hex, asked=1, first_asked_at=at, last_asked_at=at)
        )
        await session.flush()
        session.add_all(
            KnowledgeGap(
                **known, id=id_at(asked), group_id=group_id, conversation_id=place["conversation_id"], language="en",
                created_at=asked,
            )
            for asked in (at, at + timedelta(seconds=1))
        )  # fmt: skip
