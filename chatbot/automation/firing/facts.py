"""Gathers what rules may ask about, for a batch of happenings with four statements."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from chatbot.automation.firing import facts_repository as repository
from chatbot.automation.rules.facts import Facts
from chatbot.db.sessions import TenantReader
from chatbot.identity.policies.hours import OpeningHours
from chatbot.identity.policies.service import current_policy
from chatbot.identity.tenants.service import require_tenant


@dataclass(frozen=True, slots=True)
class Happening:
    """What may start a rule: an event, a time that has come, or silence in a conversation.

    Attributes:
        key: names it among a rule's firings: the same happening never starts a rule twice.
        name: of the event; `cron` and `silence` for the others.
        correlation_id: of the request in which it happened.
    """

    key: str
    name: str
    at: datetime
    payload: Mapping[str, Any] = field(default_factory=dict)
    correlation_id: str | None = None

    def id_of(self, what: str) -> UUID | None:
        """Return an id out of the payload; None where there is none, or none that is an id."""
        try:
            return UUID(str(self.payload[what]))
        except (KeyError, ValueError):
            return None

    @property
    def conversation_id(self) -> UUID | None:
        """The conversation in which it happened."""
        return self.id_of("conversation_id")

    @property
    def message_id(self) -> UUID | None:
        """The message that it is about: of a question that was not answered the question, not the reply."""
        return self.id_of("question_id") or self.id_of("message_id")


async def gather(session: TenantReader, happenings: Sequence[Happening], now: datetime | None = None) -> list[Facts]:
    """Return what is known about each happening, in their order; conversations are as they are now.

    Args:
        now: the time by which the opening hours are meant; None: by each happening's own.
    """
    talks = await repository.conversations(session, _ids(happenings, "conversation_id"))
    said = await repository.messages(session, [each for one in happenings if (each := one.message_id)])
    silent = {one.conversation_id for one in happenings if one.name == "silence"}
    last = await repository.last_messages(session, [each for each in silent if each])
    tickets = await repository.tickets(session, _ids(happenings, "ticket_id"))
    policy, tenant = await current_policy(session), await require_tenant(session)
    hours = OpeningHours.of(policy.hours, tenant.timezone)
    found = []
    for one in happenings:
        fields, variables = talks.get(one.conversation_id, ({}, {})) if one.conversation_id else ({}, {})
        message = said.get(one.message_id or _NOBODY) or last.get(one.conversation_id or _NOBODY) or {}
        ticket = tickets.get(one.id_of("ticket_id") or _NOBODY, {})
        found.append(
            Facts({**fields, **message, **ticket, "hours.open": hours.open_now(now or one.at)}, variables, one.payload)
        )
    return found


_NOBODY = UUID(int=0)


def _ids(happenings: Sequence[Happening], what: str) -> set[UUID]:
    return {found for one in happenings if (found := one.id_of(what)) is not None}
