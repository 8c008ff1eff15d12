"""What a bot's own provider tells about it, in words for an operator."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from chatbot.channels.contract import Finding
from chatbot.channels.providers.telegram.api import BotAccount, Reply, call
from chatbot.channels.providers.telegram.profile import Profile
from chatbot.core.clock import utcnow
from chatbot.core.errors import XinError
from chatbot.core.safe_http import SafeHttp

_RECENT_SECONDS = 900
_MANY = 100


async def findings(account: BotAccount, wanted_url: str, profile: Profile, http: SafeHttp) -> list[Finding]:
    """Look at the token, and where updates go; never raises.

    Args:
        wanted_url: the webhook that should be set; empty when there should be none.
    """
    try:
        me = await call(account, "getMe", {}, http)
        if not me.ok:
            return [Finding("token", False, f"{profile.name} refuses the token: {me.words}")]
        hook = await call(account, "getWebhookInfo", {}, http)
    except XinError as error:
        return [Finding("token", False, f"{profile.name} could not be asked: {error.detail}")]
    return [_owner(me), *_groups(me), *_webhook(hook, wanted_url, profile)]


def _owner(me: Reply) -> Finding:
    bot = _object(me.result)
    return Finding("token", True, f"The token belongs to @{bot.get('username') or bot.get('id')}.")


def _groups(me: Reply) -> list[Finding]:
    if _object(me.result).get("can_read_all_group_messages") is not False:
        return []
    words = "In groups the bot is told only commands, mentions and answers to it (privacy mode)."
    return [Finding("groups", True, words)]


def _webhook(hook: Reply, wanted_url: str, profile: Profile) -> list[Finding]:
    if not hook.ok:
        return [Finding("webhook", False, f"{profile.name} does not tell the webhook: {hook.words}")]
    info = _object(hook.result)
    found = [_address(str(info.get("url") or ""), wanted_url), *_pending(info)]
    missing = [kind for kind in profile.updates if kind not in (info.get("allowed_updates") or [])]
    if wanted_url and profile.updates and missing:
        words = f"The webhook does not report: {', '.join(missing)}. Register it again."
        found.append(Finding("updates", False, words))
    return found


def _address(url: str, wanted_url: str) -> Finding:
    if not wanted_url and not url:
        return Finding("webhook", True, "No webhook is set, as polling needs it.")
    if not wanted_url:
        words = f"A webhook to {_host(url)} is set, so that polling gets nothing. Register the channel again."
        return Finding("webhook", False, words)
    if not url:
        return Finding("webhook", False, "No webhook is set. Register the channel.")
    if url == wanted_url:
        return Finding("webhook", True, "The webhook points here.")
    words = f"The webhook points to another address, at {_host(url)}. Register the channel again."
    return Finding("webhook", False, words)


def _host(url: str) -> str:
    """No more of an address than its host: the rest may hold a secret, ours or another system's."""
    return urlsplit(url).hostname or "an unknown host"


def _pending(info: Mapping[str, Any]) -> list[Finding]:
    found = []
    waiting, at, words = info.get("pending_update_count"), info.get("last_error_date"), info.get("last_error_message")
    if isinstance(waiting, int) and waiting:
        found.append(Finding("pending", waiting < _MANY, f"{waiting} updates wait to be delivered."))
    if isinstance(at, int) and words:
        seconds = max(int(utcnow().timestamp()) - at, 0)
        found.append(
            Finding("delivery", seconds > _RECENT_SECONDS, f"The last error, {_ago(seconds)}: {str(words)[:200]}")
        )
    return found


def _ago(seconds: int) -> str:
    return f"{seconds // 60} minutes ago" if seconds < 7200 else f"{seconds // 3600} hours ago"


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
