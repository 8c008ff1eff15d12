"""Actions as they would run: texts in the conversation's language, bodies as they would leave, step by step."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from chatbot.automation.firing.facts import Happening
from chatbot.automation.rules.actions import AnyAction, CannedReply, Reply, SetVariable, Webhook
from chatbot.automation.rules.bodies import body_of
from chatbot.automation.rules.facts import Facts
from chatbot.automation.rules.schemas import RuleDocument
from chatbot.automation.rules.templates import fill_texts
from chatbot.automation.running.effects import spoken
from chatbot.automation.trials.schemas import WouldDo
from chatbot.core.errors import NotFound
from chatbot.db.models import AutomationRule
from chatbot.db.sessions import TenantReader
from chatbot.helpdesk.canned import service as canned


class CannedTexts:
    """What canned replies say in conversations: read once, whichever rules and happenings ask."""

    def __init__(self, session: TenantReader, texts: Mapping[UUID, str]) -> None:
        self._session = session
        self._texts = texts
        self._values: dict[UUID, canned.Values | None] = {}

    @classmethod
    async def of(cls, session: TenantReader, documents: Iterable[RuleDocument]) -> "CannedTexts":
        """Read the canned replies that some rules name, with one statement."""
        actions = (action for document in documents for action in document.actions)
        named = {action.canned_reply_id for action in actions if isinstance(action, CannedReply)}
        return cls(session, await canned.texts_of(session, named))

    async def said(self, reply_id: UUID, conversation_id: UUID | None, by: str) -> str | None:
        """Return what a canned reply says in a conversation (None: in any); None: one of them is not there any more."""
        text = self._texts.get(reply_id)
        if text is None or conversation_id is None:
            return text
        if conversation_id not in self._values:
            self._values[conversation_id] = await self._known(conversation_id)
        values = self._values[conversation_id]
        return canned.fill(text, values.spoken_by(by)) if values else None

    async def _known(self, conversation_id: UUID) -> canned.Values | None:
        try:
            return await canned.values_of(self._session, conversation_id)
        except NotFound:
            return None


class Rendering:
    """Renders the actions of a rule."""

    def __init__(self, texts: CannedTexts, rule: AutomationRule, document: RuleDocument, default_language: str) -> None:
        self._texts = texts
        self._rule = rule
        self._document = document
        self._default = default_language

    async def actions(self, happening: Happening, facts: Facts) -> list[WouldDo]:
        """Return what each action would do; a variable that one sets is known to those behind it."""
        found = []
        for action in self._document.actions:
            rendered = await self._one(action, happening, facts)
            found.append(WouldDo(type=action.type, rendered=rendered))
            if isinstance(action, SetVariable):
                facts = replace(facts, variables={**facts.variables, action.name: rendered["value"]})
        return found

    async def _one(self, action: AnyAction, happening: Happening, facts: Facts) -> dict[str, Any]:
        if isinstance(action, Webhook):
            event = {"name": happening.name, "at": happening.at.isoformat()}
            return {"url": action.url, "body": body_of(action, self._rule, event, facts)}
        rendered: dict[str, Any] = fill_texts(action.model_dump(mode="json", exclude={"type"}), facts)
        if isinstance(action, Reply) and isinstance(rendered["text"], Mapping):
            language = str(facts.fields.get("conversation.language") or self._default)
            rendered["text"] = spoken(rendered["text"], language, self._default)
        if isinstance(action, CannedReply):
            conversation = facts.fields.get("conversation.id")
            rendered["text"] = await self._texts.said(
                action.canned_reply_id, UUID(str(conversation)) if conversation else None, self._rule.name or ""
            )
        return rendered
