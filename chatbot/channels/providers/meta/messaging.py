"""Messenger and Instagram: one Send API, two hosts, small differences."""

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from chatbot.channels.contract import Account, Call, Finding, Outcome, Request
from chatbot.channels.events import InboundEvent
from chatbot.channels.outgoing import Outgoing
from chatbot.channels.providers.meta import messaging_parse, messaging_render
from chatbot.channels.providers.meta.base import MetaAdapter
from chatbot.channels.providers.meta.credentials import InstagramCredentials, MessengerCredentials
from chatbot.channels.providers.meta.graph import Graph
from chatbot.channels.providers.meta.reading import mappings, text
from chatbot.core.safe_http import SafeHttp

M = TypeVar("M", MessengerCredentials, InstagramCredentials)

_PAGE_FIELDS = (
    "messages,messaging_postbacks,messaging_optins,messaging_referrals,messaging_handovers,message_deliveries,"
    "message_reads,message_echoes,message_edits,message_reactions,standby"
)
_INSTAGRAM_FIELDS = "messages,messaging_postbacks,messaging_seen,messaging_referral,message_reactions"


class _Messaging(MetaAdapter[M]):
    """What both share. Neither edits or streams; a reply is sent when it is finished."""

    fields: ClassVar[str]

    async def send(self, account: Account[M], call: Call, http: SafeHttp, *, delivery_id: UUID) -> Outcome:  # noqa: ARG002
        """Send one message; the Send API knows no key against sending twice."""
        return await self.graph(account, http).send("me", call.action, body=call.body)

    async def typing(self, account: Account[M], thread: str, context: Mapping[str, Any], http: SafeHttp) -> None:  # noqa: ARG002
        """Show that somebody writes, for up to 20 seconds."""
        body = {"recipient": {"id": thread}, "sender_action": "typing_on"}
        await self.graph(account, http).ask("POST", "me", "messages", body=body)

    async def register(self, account: Account[M], http: SafeHttp) -> None:
        """Subscribe the app to the page or account."""
        graph = self.graph(account, http)
        await graph.ask("POST", "me", "subscribed_apps", body={"subscribed_fields": self.fields})

    async def unregister(self, account: Account[M], http: SafeHttp) -> None:
        """End the app's subscription to the page or account."""
        await self.graph(account, http).ask("DELETE", "me", "subscribed_apps")


class Messenger(_Messaging[MessengerCredentials]):
    """Adapter of Messenger."""

    channel_type: ClassVar[str] = "messenger"
    capabilities = messaging_render.MESSENGER
    credentials = MessengerCredentials
    fields = _PAGE_FIELDS

    def parse(self, account: Account[MessengerCredentials], request: Request) -> list[InboundEvent]:
        """Read every event of a POST."""
        return messaging_parse.parse(request.body, "page", account.credentials.page_id)

    def render(self, account: Account[MessengerCredentials], message: Outgoing) -> list[Call]:
        """Give a message its form."""
        human_agent = account.credentials.human_agent
        return messaging_render.calls(message, self.capabilities, documents=True, human_agent=human_agent)

    async def register(self, account: Account[MessengerCredentials], http: SafeHttp) -> None:
        """Enter the app's webhook where the app is known, and subscribe the app to the page."""
        if account.credentials.app_id and account.webhook_url:
            told = {
                "object": "page",
                "callback_url": account.webhook_url,
                "verify_token": self.verify_token(account),
                "fields": self.fields,
            }
            await _app(account, http).ask("POST", account.credentials.app_id, "subscriptions", body=told)
        await super().register(account, http)

    async def check(self, account: Account[MessengerCredentials], http: SafeHttp) -> list[Finding]:
        """Look at the token's page, the subscription and, where the app is known, its webhook."""
        graph = self.graph(account, http)
        found = await graph.look("token", "me", query={"fields": "id,name"})
        if isinstance(found, Finding):
            return [found]
        whose = _owner("page", f"“{text(found.get('name'))}”", text(found.get("id")), account.credentials.page_id)
        findings = [whose, await _subscription(graph)]
        if account.credentials.app_id:
            findings.append(await _webhook(account, http))
        return findings


class Instagram(_Messaging[InstagramCredentials]):
    """Adapter of Instagram."""

    channel_type: ClassVar[str] = "instagram"
    capabilities = messaging_render.INSTAGRAM
    credentials = InstagramCredentials
    fields = _INSTAGRAM_FIELDS

    def parse(self, account: Account[InstagramCredentials], request: Request) -> list[InboundEvent]:
        """Read every event of a POST."""
        return messaging_parse.parse(request.body, "instagram", account.credentials.account_id)

    def render(self, account: Account[InstagramCredentials], message: Outgoing) -> list[Call]:
        """Give a message its form."""
        human_agent = account.credentials.human_agent
        return messaging_render.calls(message, self.capabilities, documents=False, human_agent=human_agent)

    async def check(self, account: Account[InstagramCredentials], http: SafeHttp) -> list[Finding]:
        """Look at the token's account and the subscription."""
        graph = self.graph(account, http)
        found = await graph.look("token", "me", query={"fields": "user_id,username"})
        if isinstance(found, Finding):
            return [found]
        name, account_id = f"@{text(found.get('username'))}", text(found.get("user_id"))
        return [_owner("account", name, account_id, account.credentials.account_id), await _subscription(graph)]


def _app(account: Account[MessengerCredentials], http: SafeHttp) -> Graph:
    """Return the API with the app's own token, which is its id and secret."""
    given = account.credentials
    return Graph(http, given.api_url, f"{given.app_id}|{given.app_secret.get_secret_value()}")


def _owner(what: str, name: str, found_id: str, expected_id: str) -> Finding:
    if expected_id and found_id and found_id != expected_id:
        return Finding("token", ok=False, words=f"The token belongs to another {what}: {name} ({found_id}).")
    return Finding("token", ok=True, words=f"The token belongs to the {what} {name}.")


async def _subscription(graph: Graph) -> Finding:
    found = await graph.look("subscription", "me", "subscribed_apps")
    if isinstance(found, Finding):
        return found
    fields = {str(name) for app in mappings(found.get("data")) for name in app.get("subscribed_fields") or ()}
    if "messages" not in fields:
        return Finding("subscription", ok=False, words="The app is not subscribed to messages; register the channel.")
    return Finding("subscription", ok=True, words="The app is subscribed to messages.")


async def _webhook(account: Account[MessengerCredentials], http: SafeHttp) -> Finding:
    found = await _app(account, http).look("webhook", account.credentials.app_id, "subscriptions")
    if isinstance(found, Finding):
        return found
    address = next(
        (text(one.get("callback_url")) for one in mappings(found.get("data")) if one.get("object") == "page"), ""
    )
    if not address:
        return Finding("webhook", ok=False, words="The app has no webhook for pages; events reach nobody.")
    if address != account.webhook_url:
        return Finding("webhook", ok=False, words=f"The webhook points to another address: {address[:200]}")
    return Finding("webhook", ok=True, words="The webhook points to this channel.")


MESSENGER = Messenger()
INSTAGRAM = Instagram()
