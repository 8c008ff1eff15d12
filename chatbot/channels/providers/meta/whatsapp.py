"""WhatsApp Cloud API."""

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

from chatbot.channels.contract import Account, Call, Finding, Outcome, Request
from chatbot.channels.events import InboundEvent, Media
from chatbot.channels.outgoing import Outgoing
from chatbot.channels.providers.meta import whatsapp_parse, whatsapp_render
from chatbot.channels.providers.meta.base import MetaAdapter
from chatbot.channels.providers.meta.credentials import WhatsAppCredentials
from chatbot.channels.providers.meta.graph import Graph
from chatbot.channels.providers.meta.reading import Json, mapping, mappings, number, text
from chatbot.core.safe_address import AddressRefused, parse_address
from chatbot.core.safe_http import OutgoingFailed, ResponseTooLarge, SafeHttp

_FIELDS = "verified_name,display_phone_number,quality_rating,name_status,webhook_configuration"
_MEDIA_HOSTS = (".fbsbx.com", ".facebook.com", ".whatsapp.net", ".fbcdn.net")
_BAD_NAMES = {"DECLINED": "Meta declined the display name.", "EXPIRED": "The approval of the display name is expired."}


class WhatsApp(MetaAdapter[WhatsAppCredentials]):
    """Adapter of the Cloud API. It has no edits and no streaming; a reply is sent when it is finished."""

    channel_type: ClassVar[str] = "whatsapp"
    capabilities = whatsapp_render.CAPABILITIES
    credentials = WhatsAppCredentials

    def parse(self, account: Account[WhatsAppCredentials], request: Request) -> list[InboundEvent]:
        """Read every message, status and notice of a POST."""
        return whatsapp_parse.parse(request.body, account.credentials.waba_id)

    def render(self, account: Account[WhatsAppCredentials], message: Outgoing) -> list[Call]:
        """Give a message its form."""
        return whatsapp_render.calls(message, account.credentials.phone_number_id)

    async def send(
        self, account: Account[WhatsAppCredentials], call: Call, http: SafeHttp, *, delivery_id: UUID  # noqa: ARG002
    ) -> Outcome:  # fmt: skip
        """Send one message; the Cloud API knows no key against sending twice."""
        number_id = call.action.rpartition("/messages")[0] or account.credentials.phone_number_id
        return await self.graph(account, http).send(number_id, "messages", body=call.body)

    async def typing(
        self, account: Account[WhatsAppCredentials], thread: str, context: Mapping[str, Any], http: SafeHttp  # noqa: ARG002
    ) -> None:  # fmt: skip
        """Mark the customer's message read and show that somebody writes, in one call that names the message."""
        if not context.get("message_id"):
            return
        shown = {"status": "read", "message_id": context["message_id"], "typing_indicator": {"type": "text"}}
        number_id = str(context.get("phone_number_id") or account.credentials.phone_number_id)
        body = {"messaging_product": "whatsapp", **shown}
        await self.graph(account, http).ask("POST", number_id, "messages", body=body)

    async def download(
        self, account: Account[WhatsAppCredentials], media: Media, http: SafeHttp, *, max_bytes: int
    ) -> bytes:
        """Ask for the file's address, then get it; both need the token."""
        graph = self.graph(account, http)
        found = graph.answer(fetched := await graph.call("GET", media.ref))
        if found is None:
            raise OutgoingFailed(graph.words(fetched))
        if (number(found.get("file_size")) or 0) > max_bytes:
            raise ResponseTooLarge(f"The file is larger than {max_bytes:,} bytes.")
        address = text(found.get("url"))
        _require_meta(address, account.credentials.api_url)
        headers = {"Authorization": f"Bearer {account.credentials.access_token.get_secret_value()}"}
        file = await http.request("GET", address, headers=headers, max_bytes=max_bytes)
        if file.status != 200:
            raise OutgoingFailed(f"Meta answered {file.status} for a file.")
        return file.body

    async def register(self, account: Account[WhatsAppCredentials], http: SafeHttp) -> None:
        """Subscribe the app to the account, and let the number's events come here rather than to the app's webhook."""
        given, graph = account.credentials, self.graph(account, http)
        if given.waba_id:
            await graph.ask("POST", given.waba_id, "subscribed_apps", body={})
        if account.webhook_url:
            told = {"override_callback_uri": account.webhook_url, "verify_token": self.verify_token(account)}
            await graph.ask("POST", given.phone_number_id, body={"webhook_configuration": told})

    async def unregister(self, account: Account[WhatsAppCredentials], http: SafeHttp) -> None:
        """Give the number's events back to the app's webhook; the app stays subscribed, for other numbers."""
        body = {"webhook_configuration": {"override_callback_uri": ""}}
        await self.graph(account, http).ask("POST", account.credentials.phone_number_id, body=body)

    async def check(self, account: Account[WhatsAppCredentials], http: SafeHttp) -> list[Finding]:
        """Look at the token, the number's name and quality, the webhook and the subscription."""
        graph = self.graph(account, http)
        found = await graph.look("token", account.credentials.phone_number_id, query={"fields": _FIELDS})
        if isinstance(found, Finding):
            return [found]
        findings = [*_about_number(found), _about_webhook(found, account.webhook_url)]
        if account.credentials.waba_id:
            findings.append(await _subscription(graph, account.credentials.waba_id))
        return findings


def _require_meta(told: str, api_url: str) -> None:
    """Refuse to carry the token to a host that is neither Meta's nor the API's own."""
    try:
        address = parse_address(told)
    except AddressRefused:
        raise OutgoingFailed("Meta named no usable address for a file.") from None
    metas = address.scheme == "https" and f".{address.host}".endswith(_MEDIA_HOSTS)
    if not metas and address.origin != parse_address(api_url).origin:
        raise OutgoingFailed("Meta named an address for a file that is not Meta's.")


def _about_number(found: Json) -> list[Finding]:
    shown, name = text(found.get("display_phone_number")), text(found.get("verified_name"))
    whose = f" of “{name}”" if name else ""
    findings = [Finding("token", ok=True, words=f"The token may use the number {shown or 'with this id'}{whose}.")]
    quality = text(found.get("quality_rating"))
    if quality:
        findings.append(Finding("quality", ok=quality != "RED", words=f"Meta rates the number's quality {quality}."))
    bad_name = _BAD_NAMES.get(text(found.get("name_status")))
    return [*findings, Finding("name", ok=False, words=bad_name)] if bad_name else findings


def _about_webhook(found: Json, webhook_url: str) -> Finding:
    """Say where events go: to the number's own webhook, else the account's, else the app's."""
    told = mapping(found.get("webhook_configuration"))
    levels = ("phone_number", "whatsapp_business_account", "application")
    address = next((text(told.get(level)) for level in levels if text(told.get(level))), "")
    if not address:
        return Finding("webhook", ok=False, words="No webhook is set at Meta; events reach nobody.")
    if address != webhook_url:
        return Finding("webhook", ok=False, words=f"The webhook points to another address: {address[:200]}")
    return Finding("webhook", ok=True, words="The webhook points to this channel.")


async def _subscription(graph: Graph, waba_id: str) -> Finding:
    found = await graph.look("subscription", waba_id, "subscribed_apps")
    if isinstance(found, Finding):
        return found
    apps = [text(mapping(one.get("whatsapp_business_api_data")).get("name")) for one in mappings(found.get("data"))]
    if not apps:
        return Finding("subscription", ok=False, words="No app is subscribed to the WhatsApp Business account.")
    return Finding("subscription", ok=True, words=f"Subscribed to the account: {', '.join(apps)[:200]}.")


WHATSAPP = WhatsApp()
