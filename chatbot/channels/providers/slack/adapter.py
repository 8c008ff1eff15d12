"""The adapter of Slack."""

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

from chatbot.channels.base import Adapter
from chatbot.channels.contract import Account, Answer, Call, Capabilities, Finding, Malformed, Outcome, Request
from chatbot.channels.events import InboundEvent, Media
from chatbot.channels.outgoing import Draft, Outgoing
from chatbot.channels.providers.slack.api import Answered, ask, call, explained, file_of
from chatbot.channels.providers.slack.body import body_of
from chatbot.channels.providers.slack.check import findings
from chatbot.channels.providers.slack.credentials import SlackCredentials
from chatbot.channels.providers.slack.parse import events_of
from chatbot.channels.providers.slack.render import CAPABILITIES, EDIT, STREAM, calls_of, handle_of
from chatbot.channels.providers.slack.sending import require_slacks, send
from chatbot.channels.reading import part, word
from chatbot.channels.signing import header, hmac_hex, require_fresh, require_same
from chatbot.core.safe_http import OutgoingFailed, SafeHttp

_MAX_SHOWN = 11_500
"""Slack takes 12,000 characters of Markdown; what is longer is seen when the answer is whole."""


class Slack(Adapter[SlackCredentials]):
    """Slack: the Events API, interactivity and slash commands in; the Web API out."""

    channel_type: ClassVar[str] = "slack"
    capabilities: ClassVar[Capabilities] = CAPABILITIES
    credentials = SlackCredentials

    def verify(self, account: Account[SlackCredentials], request: Request, now: float) -> None:
        """HMAC over the version, the time and the raw body."""
        timestamp = header(request, "x-slack-request-timestamp")
        given = header(request, "x-slack-signature")
        secret = account.credentials.signing_secret.get_secret_value()
        signed = b":".join((b"v0", timestamp.encode(), request.body))
        require_same(given, f"v0={hmac_hex(secret, signed)}" if secret else "")
        require_fresh(timestamp, now)

    def handshake(self, account: Account[SlackCredentials], request: Request) -> Answer | None:  # noqa: ARG002
        """Echo the challenge of a new address; say that we are there when Slack looks at our certificate."""
        if request.method == "GET":
            return Answer() if request.query.get("ssl_check") else None
        try:
            body = body_of(request)
        except Malformed:  # no question; `parse` says what is wrong with it
            return None
        if word(body, "type") == "url_verification":
            return Answer(word(body, "challenge").encode())
        return Answer() if word(body, "ssl_check") else None

    def parse(self, account: Account[SlackCredentials], request: Request) -> list[InboundEvent]:  # noqa: ARG002
        """Read an event, an interaction or a command."""
        return events_of(body_of(request))

    def render(self, account: Account[SlackCredentials], message: Outgoing) -> list[Call]:  # noqa: ARG002
        """Pieces of mrkdwn; buttons in blocks."""
        return calls_of(message)

    async def send(
        self, account: Account[SlackCredentials], call: Call, http: SafeHttp, *, delivery_id: UUID
    ) -> Outcome:
        """Make one call. Slack knows no key of a repeated message; the id goes along as metadata for a trace."""
        if call.action == "chat.postMessage":
            metadata = {"event_type": "delivery", "event_payload": {"id": str(delivery_id)}}
            call = Call(call.action, {**call.body, "metadata": metadata})
        return await send(account, call, http)

    async def download(
        self, account: Account[SlackCredentials], media: Media, http: SafeHttp, *, max_bytes: int
    ) -> bytes:
        """Get a file with the bot's token, from Slack only."""
        url = media.ref
        if not url.startswith("http"):
            about = _required(await ask(account, http, "files.info", {"file": url}))
            url = word(part(about.payload, "file"), "url_private_download", "url_private")
        require_slacks(url, account)
        fetched = await file_of(account, http, url, max_bytes)
        signs_in = fetched.media_type == "text/html" and "html" not in (media.mime or "")
        if fetched.status != 200 or signs_in:
            raise OutgoingFailed(f"Slack gave no file (HTTP {fetched.status}); does the app have files:read?")
        return fetched.body

    async def check(self, account: Account[SlackCredentials], http: SafeHttp) -> list[Finding]:
        """Ask who the token is and what it may."""
        return await findings(account, http)

    async def typing(
        self, account: Account[SlackCredentials], thread: str, context: Mapping[str, Any], http: SafeHttp
    ) -> None:
        """Show "… is typing" in the thread; Slack takes it away with the answer."""
        root = context.get("thread_ts") or context.get("ts")
        body = {"channel_id": context.get("channel") or thread, "thread_ts": root, "status": "is typing…"}
        _required(await call(account, http, "assistant.threads.setStatus", body))

    async def show(self, account: Account[SlackCredentials], draft: Draft, http: SafeHttp) -> str | None:
        """Stream into a thread; in a direct message beside threads, where Slack does not stream, edit a message.

        An answer to a command has no message that could be changed: it is sent when it is whole.
        """
        if draft.context.get("response_url"):
            return None
        if draft.handle is None:
            return await _begin(account, draft, http)
        if len(draft.text) > _MAX_SHOWN:
            return draft.handle
        kind, _, ts = draft.handle.partition(":")
        channel = _channel(draft)
        if kind == EDIT:
            body = {"channel": channel, "ts": ts, "text": _shown(draft)}
            _required(await call(account, http, "chat.update", body))
        elif draft.text.startswith(draft.shown):
            added = _literal(draft.text[len(draft.shown) :])
            _required(
                await call(account, http, "chat.appendStream", {"channel": channel, "ts": ts, "markdown_text": added})
            )
        return draft.handle


async def _begin(account: Account[SlackCredentials], draft: Draft, http: SafeHttp) -> str:
    context, channel = draft.context, _channel(draft)
    if not context.get("thread_ts"):
        answered = _required(await call(account, http, "chat.postMessage", {"channel": channel, "text": _shown(draft)}))
        return handle_of(EDIT, word(answered.payload, "ts"))
    body = {
        "channel": channel,
        "thread_ts": context["thread_ts"],
        "markdown_text": _literal(draft.text[:_MAX_SHOWN]),
        "recipient_team_id": context.get("team"),
        "recipient_user_id": context.get("user"),
    }
    given = {name: value for name, value in body.items() if value}
    answered = _required(await call(account, http, "chat.startStream", given))
    return handle_of(STREAM, word(answered.payload, "ts"))


def _shown(draft: Draft) -> str:
    """The draft as the final message will look, as far as it fits into one."""
    calls = calls_of(Outgoing(draft.thread, draft.text, context=draft.context))
    return str(calls[0].body["text"]) if calls else "…"


def _literal(markdown: str) -> str:
    """Slack reads `<!channel>` in Markdown, too; a model's answer must not call a whole channel."""
    return markdown.replace("<", "&lt;")


def _channel(draft: Draft) -> str:
    return str(draft.context.get("channel") or draft.thread.split(":")[0])


def _required(answered: Answered) -> Answered:
    if not answered.ok:
        raise OutgoingFailed(explained(answered))
    return answered
