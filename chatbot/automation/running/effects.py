"""What each action does, in the transaction that notes that it was done. Webhooks apart: those leave between two."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from chatbot.automation.rules import actions as kinds
from chatbot.automation.rules.facts import Facts
from chatbot.automation.rules.templates import fill
from chatbot.automation.running import repository
from chatbot.core.errors import Conflict, NotFound
from chatbot.db.models import AutomationJob, AutomationRule
from chatbot.db.sessions import TenantSession
from chatbot.dialogue.handoff import floor
from chatbot.dialogue.handoff.parts import Agent, Held, Messenger, Wish
from chatbot.helpdesk.agents import repository as agents
from chatbot.helpdesk.agents.directory import Directory
from chatbot.helpdesk.canned import service as canned
from chatbot.helpdesk.floor.repository import set_tags
from chatbot.helpdesk.notes.repository import add as add_note
from chatbot.helpdesk.tickets.service import NewTicket, TicketDesk
from chatbot.identity.mail import Letter, Mail, MailNotSetUp, new_thread
from chatbot.identity.policies.service import current_policy
from chatbot.identity.tenants.service import require_tenant


class NoConversation(Conflict):
    """The action needs a conversation, and the event that started the rule has none."""

    code = "no_conversation"
    title = "There is no conversation to act in"


class NoAddress(Conflict):
    """What the mail goes to is no address: mostly a visitor whose address is not known."""

    code = "no_address"
    title = "There is no address to write to"


@dataclass(frozen=True, slots=True)
class Step:
    """One action of a job, about to be done; `people` are those whom `Effects.person` found before."""

    session: TenantSession
    job: AutomationJob
    rule: AutomationRule
    facts: Facts
    people: Mapping[UUID, Agent | None] = field(default_factory=dict)

    @property
    def agent(self) -> Agent:
        """The rule as whoever acts."""
        return Agent(self.rule.id, self.rule.name)

    async def conversation(self) -> Held:
        """Lock the job's conversation.

        Raises:
            NoConversation: the job has none.
            NotFound: it was removed meanwhile.
        """
        if self.job.conversation_id is None:
            raise NoConversation
        return await floor.held(self.session, self.job.conversation_id)


class Effects:
    """Does actions, for one process."""

    def __init__(self, messenger: Messenger, desk: TicketDesk, mail: Mail, directory: Directory) -> None:
        self._messenger = messenger
        self._desk = desk
        self._mail = mail
        self._directory = directory
        self._by_kind: Mapping[type[Any], Callable[[Step, Any], Awaitable[str]]] = {
            kinds.Reply: self._reply,
            kinds.CannedReply: self._canned_reply,
            kinds.RaiseTicket: self._ticket,
            kinds.GiveTo: self._assign,
            kinds.ChangeTags: self._tag,
            kinds.HandOver: self._hand_over,
            kinds.AddNote: self._note,
            kinds.SendEmail: self._email,
            kinds.Close: self._close,
            kinds.SetVariable: self._set_variable,
        }

    async def do(self, step: Step, action: kinds.AnyAction) -> str:
        """Do an action and say in words what came of it.

        Raises:
            XinError: it cannot be done; trying again would not help.
        """
        return await self._by_kind[type(action)](step, action)

    async def person(self, tenant_id: UUID, user_id: UUID) -> Agent | None:
        """Return an agent whom an action names; None when nobody of the tenant is meant.

        Across tenants, so on a connection of its own: not to be waited for by whoever has one in hand.
        """
        try:
            return await self._directory.member(tenant_id, user_id)
        except NotFound:
            return None

    async def _reply(self, step: Step, action: kinds.Reply) -> str:
        conversation = await step.conversation()
        text = action.text
        if not isinstance(text, str):
            default = (await current_policy(step.session)).default_language
            text = spoken(text, conversation.language, default)
        return await self._say(step, conversation, fill(text, step.facts))

    async def _canned_reply(self, step: Step, action: kinds.CannedReply) -> str:
        conversation = await step.conversation()
        text = await canned.rendered(step.session, action.canned_reply_id, conversation.id, step.agent)
        return await self._say(step, conversation, text)

    async def _say(self, step: Step, conversation: Held, text: str) -> str:
        row = await floor.announce(step.session, conversation, text, self._messenger)
        return f"said as message {row.seq}"

    async def _ticket(self, step: Step, action: kinds.RaiseTicket) -> str:
        fields = step.facts.fields
        ticket = await self._desk.open(
            step.session,
            NewTicket(
                source="rule",
                created_by=f"rule:{step.rule.id}",
                subject=fill(action.subject, step.facts)[:200],
                problem=fill(action.problem, step.facts),
                requester_name=str(fields.get("visitor.name") or step.rule.name),
                requester_email=fields.get("visitor.email"),
                priority=action.priority,
                brand_id=step.rule.brand_id,
                conversation_id=step.job.conversation_id,
            ),
        )
        return f"ticket {ticket.number} opened"

    async def _assign(self, step: Step, action: kinds.GiveTo) -> str:
        to = step.people.get(action.agent_id) if action.agent_id else None
        if action.agent_id and to is None:
            raise NotFound("no such agent")
        conversation = await step.conversation()
        if to:
            await agents.keep(step.session, to)
        await floor.assign(step.session, conversation, to, step.agent)
        return f"given to {to.name}" if to else "given to the queue"

    async def _tag(self, step: Step, action: kinds.ChangeTags) -> str:
        conversation = await step.conversation()
        before = await repository.tags_of(step.session, conversation.id)
        after = [tag for tag in dict.fromkeys([*before, *action.add]) if tag not in action.remove]
        await set_tags(step.session, conversation.id, after)
        return f"tags: {', '.join(after) or 'none'}"

    async def _hand_over(self, step: Step, action: kinds.HandOver) -> str:
        conversation = await step.conversation()
        wish = Wish("rule", fill(action.reason, step.facts))
        await floor.request(step.session, conversation, wish, self._messenger)
        return "a person was asked for"

    async def _note(self, step: Step, action: kinds.AddNote) -> str:
        conversation = await step.conversation()
        await agents.keep(step.session, step.agent)
        await add_note(step.session, conversation.id, step.rule.id, fill(action.text, step.facts), [])
        return "noted"

    async def _email(self, step: Step, action: kinds.SendEmail) -> str:
        brand = step.facts.fields.get("brand.id") or step.rule.brand_id
        tenant = await require_tenant(step.session)
        to = fill(action.to, step.facts).strip()
        if not kinds.ADDRESS.fullmatch(to):
            raise NoAddress(f"{action.to!r} is no address here" if to else f"{action.to!r} is not known")
        letter = Letter(
            to=to, name="", subject=fill(action.subject, step.facts)[:200], text=fill(action.text, step.facts),
            thread=new_thread(), lane=f"rule:{step.job.id}",
        )  # fmt: skip
        if not await self._mail.post(step.session, UUID(str(brand or tenant.default_brand_id)), letter):
            raise MailNotSetUp
        return "mailed"

    async def _close(self, step: Step, _action: kinds.Close) -> str:
        await floor.close(step.session, await step.conversation(), step.agent)
        return "closed"

    async def _set_variable(self, step: Step, action: kinds.SetVariable) -> str:
        conversation = await step.conversation()
        value = fill(action.value, step.facts)[:1_000]
        await repository.set_variable(step.session, conversation.id, action.name, value)
        return f"{action.name} is set"


def spoken(texts: Mapping[str, str], language: str, default: str) -> str:
    """Return the text of a language, else that of the tenant's default one, else the first."""
    short = language.partition("-")[0]
    return texts.get(language) or texts.get(short) or texts.get(default) or next(iter(texts.values()))
