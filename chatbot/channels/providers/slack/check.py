"""Looks whether a Slack channel works: the token, its permissions, and what Slack cannot be asked."""

from chatbot.channels.contract import Account, Finding
from chatbot.channels.providers.slack.api import Answered, call, explained
from chatbot.channels.providers.slack.credentials import SlackCredentials
from chatbot.channels.reading import word
from chatbot.core.errors import XinError
from chatbot.core.safe_http import SafeHttp

_NEEDED = {
    "chat:write": "to answer",
    "app_mentions:read": "to see where it is named",
    "im:history": "to read direct messages",
}
_USEFUL = {
    "channels:history": "to read threads in public channels",
    "files:read": "to read customers' files",
    "reactions:read": "to see reactions",
}


async def findings(account: Account[SlackCredentials], http: SafeHttp) -> list[Finding]:
    """Return what was found, in words; never raises."""
    try:
        answered = await call(account, http, "auth.test", {})
    except XinError as error:
        return [Finding("token", False, f"Slack could not be asked: {error.detail}")]
    if not answered.ok:
        return [Finding("token", False, explained(answered))]
    who = word(answered.payload, "user") or "a bot"
    found = [Finding("token", True, f"The token belongs to @{who} in {word(answered.payload, 'team')}.")]
    found += _scopes(answered)
    if account.webhook_url:
        words = (
            f"Slack does not tell which address it calls: under Event Subscriptions, Interactivity and Slash Commands "
            f"it must be {account.webhook_url}"
        )
        found.append(Finding("webhook", True, words))
    return found


def _scopes(answered: Answered) -> list[Finding]:
    told = answered.fetched.headers.get("x-oauth-scopes")
    if told is None:
        return []
    granted = {one.strip() for one in told.split(",")}
    missing = {scope: why for scope, why in _NEEDED.items() if scope not in granted}
    lacks = {scope: why for scope, why in _USEFUL.items() if scope not in granted}
    found = [Finding("permissions", not missing, _said("lacks", missing) or "The app has the permissions it needs.")]
    return found + ([Finding("more permissions", True, _said("could also use", lacks))] if lacks else [])


def _said(verb: str, scopes: dict[str, str]) -> str:
    listed = ", ".join(f"{scope} ({why})" for scope, why in scopes.items())
    return f"The app {verb} {listed}." if listed else ""
