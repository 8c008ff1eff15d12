"""Looks whether a Discord channel works: token, key, intents and the address of interactions."""

from chatbot.channels.contract import Account, Finding
from chatbot.channels.providers.discord.api import Answered, call, explained
from chatbot.channels.providers.discord.credentials import DiscordCredentials
from chatbot.channels.reading import number, word
from chatbot.core.errors import XinError
from chatbot.core.safe_http import SafeHttp

_CONTENT_INTENTS = (1 << 18) | (1 << 19)


async def findings(account: Account[DiscordCredentials], http: SafeHttp) -> list[Finding]:
    """Return what was found, in words; never raises."""
    try:
        me = await call(account, http, "GET", "/users/@me")
        application = await call(account, http, "GET", "/applications/@me")
    except XinError as error:
        return [Finding("token", False, f"Discord could not be asked: {error.detail}")]
    if not me.ok:
        return [Finding("token", False, explained(me))]
    found = [Finding("token", True, f"The token belongs to {word(me.payload, 'username')}.")]
    if not application.ok:
        return [*found, Finding("application", False, explained(application))]
    return [*found, *_about(account, application)]


def _about(account: Account[DiscordCredentials], application: Answered) -> list[Finding]:
    given, told = account.credentials, application.payload
    same = word(told, "id") == given.application_id
    found = [Finding("application", same, f"The token is of {'this' if same else 'another'} application.")]
    key = word(told, "verify_key").lower() == given.public_key.lower()
    found.append(Finding("public key", key, "The public key is right." if key else "The public key is another one."))
    reads = bool((number(told, "flags") or 0) & _CONTENT_INTENTS)
    words = (
        "The bot may read messages."
        if reads
        else (
            "The Message Content intent is off (Bot, Privileged Gateway Intents): "
            "the bot reads direct messages and mentions only, and its connection is refused."
        )
    )
    found.append(Finding("message content", reads, words))
    if account.webhook_url:
        found.append(_webhook(account, word(told, "interactions_endpoint_url")))
    return found


def _webhook(account: Account[DiscordCredentials], registered: str) -> Finding:
    if registered == account.webhook_url:
        return Finding("webhook", True, "Interactions come to this address.")
    if not registered:
        return Finding("webhook", True, "Discord has no address for interactions; they come over the connection.")
    return Finding("webhook", False, f"Interactions go to another address: {registered}")
