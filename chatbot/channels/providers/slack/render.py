"""Messages given Slack's form: mrkdwn, in pieces, buttons and replaced drafts as blocks."""

from typing import Any

from chatbot.channels.base import degraded
from chatbot.channels.contract import Call, Capabilities
from chatbot.channels.markup import SLACK as STYLE
from chatbot.channels.markup import render
from chatbot.channels.outgoing import Button, Outgoing
from chatbot.channels.pieces import pieces

CAPABILITIES = Capabilities(
    max_length=4_000, buttons=25, edit=True, typing=True, stream="native", draft_seconds=1.3, per_second=15.0,
    thread_per_second=1.0,
)  # fmt: skip
MAX_SECTION = 3_000
_MAX_TITLE = 75
_MAX_VALUE = 2_000
_MAX_URL = 3_000

STREAM = "stream"
EDIT = "edit"


def handle_of(kind: str, ts: str) -> str:
    """Return the handle of a draft: how it is shown, and its message."""
    return f"{kind}:{ts}"


def calls_of(message: Outgoing) -> list[Call]:
    """Return one call for each piece, the first in place of the draft if there is one; the last has the buttons."""
    offered = message.buttons if _fit(message.buttons) else ()
    capabilities = CAPABILITIES if offered or not message.buttons else Capabilities(CAPABILITIES.max_length)
    kind, _, draft_ts = (message.replaces or "").partition(":")
    in_blocks = bool(offered) or bool(draft_ts)
    limit = MAX_SECTION if in_blocks else CAPABILITIES.max_length
    texts = [one for one in pieces(degraded(message, capabilities), limit, render=_mrkdwn) if one]
    if not texts and not offered:
        return []
    calls = [Call("chat.stopStream", {"channel": _channel(message), "ts": draft_ts})] if kind == STREAM else []
    for index, text in enumerate(texts or ["…"]):
        last = index == len(texts or [""]) - 1
        body: dict[str, Any] = {"text": text, "unfurl_links": False, "unfurl_media": bool(message.media)}
        if in_blocks:
            body["blocks"] = _blocks(text, offered if last else ())
        calls.append(_call(message, body, draft_ts if index == 0 else ""))
    return calls


def _call(message: Outgoing, body: dict[str, Any], draft_ts: str) -> Call:
    context = message.context
    if context.get("response_url"):
        about = {"url": context["response_url"], "user": context.get("user", "")}
        return Call("response_url", {**about, "message": body})
    body["channel"] = _channel(message)
    if context.get("thread_ts"):
        body["thread_ts"] = context["thread_ts"]
    return Call("chat.update", {**body, "ts": draft_ts}) if draft_ts else Call("chat.postMessage", body)


def _channel(message: Outgoing) -> str:
    return str(message.context.get("channel") or message.thread.split(":")[0])


def _mrkdwn(markdown: str) -> str:
    return render(markdown, STYLE)


def _blocks(text: str, buttons: tuple[Button, ...]) -> list[dict[str, Any]]:
    """`expand`, or Slack folds a long section behind a link."""
    blocks: list[dict[str, Any]] = [{"type": "section", "expand": True, "text": {"type": "mrkdwn", "text": text}}]
    if buttons:
        blocks.append({"type": "actions", "elements": [_button(n, one) for n, one in enumerate(buttons)]})
    return blocks


def _button(number: int, button: Button) -> dict[str, Any]:
    title = button.title if len(button.title) <= _MAX_TITLE else button.title[: _MAX_TITLE - 1] + "…"
    element = {"type": "button", "action_id": f"choice_{number}", "text": {"type": "plain_text", "text": title}}
    return {**element, "url": button.url} if button.url else {**element, "value": button.id}


def _fit(buttons: tuple[Button, ...]) -> bool:
    """Whether Slack takes buttons as they are; a cut id or address would be another one."""
    fit = all(len(one.id) <= _MAX_VALUE and len(one.url) <= _MAX_URL and one.title.strip() for one in buttons)
    return fit and len(buttons) <= CAPABILITIES.buttons
