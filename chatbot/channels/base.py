"""What most adapters share: sensible answers, and rich messages degraded to text."""

from collections.abc import Sequence
from typing import ClassVar, Generic

from chatbot.channels.contract import Account, Answer, C, Capabilities, Request
from chatbot.channels.events import InboundEvent, Media
from chatbot.channels.outgoing import Outgoing
from chatbot.core.safe_http import OutgoingFailed, SafeHttp


class Adapter(Generic[C]):
    """Base of adapters; each overrides what its provider does otherwise."""

    channel_type: ClassVar[str]
    capabilities: ClassVar[Capabilities]
    credentials: type[C]

    def listens(self, account: Account[C]) -> bool:  # noqa: ARG002
        """As the provider does for every account."""
        return self.capabilities.listens

    def handshake(self, account: Account[C], request: Request) -> Answer | None:  # noqa: ARG002
        """No question."""
        return None

    def acknowledge(self, account: Account[C], events: Sequence[InboundEvent]) -> Answer:  # noqa: ARG002
        """An empty 200."""
        return Answer()

    async def download(self, account: Account[C], media: Media, http: SafeHttp, *, max_bytes: int) -> bytes:  # noqa: ARG002
        """GET the file's address."""
        if media.content is not None:
            return media.content
        fetched = await http.fetch(media.ref, max_bytes=max_bytes)
        if fetched.status != 200:
            raise OutgoingFailed(f"the provider answered {fetched.status} for a file")
        return fetched.body

    async def register(self, account: Account[C], http: SafeHttp) -> None:
        """Nothing to tell: the operator enters the webhook at the provider."""

    async def unregister(self, account: Account[C], http: SafeHttp) -> None:
        """Nothing to take away."""


def degraded(message: Outgoing, capabilities: Capabilities, *, media: bool = False, sources: bool = True) -> str:
    """Return a message's Markdown with what the channel has no form for written out.

    Buttons beyond what the channel takes become a numbered list, sources and (unless `media`) files become lines.
    """
    parts = [message.text] if message.text else []
    if message.buttons and len(message.buttons) > capabilities.buttons:
        parts.append("\n".join(_line(n, button.title, button.url) for n, button in enumerate(message.buttons, 1)))
    if not media and message.media:
        parts.append("\n".join(f"{file.name or file.kind}: {file.url}" for file in message.media))
    if sources and message.sources:
        parts.append("\n".join(_source(source.index, source.title, source.url) for source in message.sources))
    return "\n\n".join(parts)


def _line(number: int, title: str, url: str) -> str:
    return f"{number}. {title}: {url}" if url else f"{number}. {title}"


def _source(index: int, title: str, url: str | None) -> str:
    return f"\\[{index}\\] [{title}]({url})" if url else f"\\[{index}\\] {title}"
