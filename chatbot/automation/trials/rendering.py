"""Actions as they would run: texts in the conversation's language, bodies as they would leave, step by step."""

from collections.abc import Mapping
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
from chatbot.dialogue.handoff.parts import Agent
from chatbot.helpdesk.canned import service as canned


class Rendering:
    """Renders the actions of a rule."""

    def __init__(
        self, session: TenantReader, rule: AutomationRule, document: RuleDocument, default_language: str
    ) -> None:
        self._session = session
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
            rendered["text"] = await self._canned(action, facts)
        return rendered

    async def _canned(self, action: CannedReply, facts: Facts) -> str | None:
        """The text of a canned reply; None: it is not there any more."""
        conversation = facts.fields.get("conversation.id")
        try:
            if conversation is None:
                return (await canned.require(self._session, action.canned_reply_id)).text
            by = Agent(self._rule.id, self._rule.name or "")
            return await canned.rendered(self._session, action.canned_reply_id, UUID(str(conversation)), by)
        except NotFound:
            return None
