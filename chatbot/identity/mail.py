"""Mail of a tenant's brands as rooms send and take it; what carries it is handed in where a process is put together."""

import base64
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from chatbot.core.errors import Conflict
from chatbot.db.sessions import TenantReader, TenantSession

_THREAD_BYTES = 16


class MailNotSetUp(Conflict):
    """The brand has no e-mail channel that is switched on, so nothing can be mailed."""

    code = "mail_not_set_up"
    title = "There is no e-mail channel to write from"


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail to one person.

    Attributes:
        text: Markdown.
        thread: of `new_thread`; letters with the same one belong together, and what is answered comes back under it.
        lane: letters of one lane are sent in order, at most 60 characters.
        answers: the `context` of what the person wrote last, if this answers it.
        language: BCP 47, of the text.
        by_person: somebody wrote it, no machine: it may be answered by machines then.
    """

    to: str
    name: str
    subject: str
    text: str
    thread: str
    lane: str
    answers: Mapping[str, Any] = field(default_factory=dict)
    language: str | None = None
    by_person: bool = False


class Mail(Protocol):
    """Sends letters from a brand's own address."""

    async def ready(self, session: TenantReader, brand_id: UUID) -> bool:
        """Whether the brand has an address to write from."""

    async def post(self, session: TenantSession, brand_id: UUID, letter: Letter) -> bool:
        """Put a letter on its way, in the session's transaction; False when the brand has no address to write from."""

    async def hand_over(self, tenant_id: UUID, brand_id: UUID, letter: Letter) -> bool:
        """Give a letter to the mail server now, and keep it nowhere: it holds what lets somebody in.

        Returns:
            Whether the server took it; False also when the brand has no address to write from.
        """


@dataclass(frozen=True, slots=True)
class EnclosedFile:
    """A file that came with a mail, in the blob store."""

    name: str
    mime: str
    size: int
    blob_key: str


@dataclass(frozen=True, slots=True)
class Answered:
    """What somebody wrote by mail, under a thread of ours.

    Attributes:
        context: what the next letter needs to be in the same thread of the writer's mail program.
    """

    thread: str
    text: str
    name: str
    address: str
    files: tuple[EnclosedFile, ...] = ()
    context: Mapping[str, Any] = field(default_factory=dict)


TakeAnswer = Callable[[TenantSession, Answered], Awaitable[bool]]
"""Take what was written in the session's transaction; False when the thread is none of one's own."""


def new_thread() -> str:
    """Return the name of a new thread: 26 characters that nobody can guess, for whoever knows it may write in it."""
    return base64.b32encode(secrets.token_bytes(_THREAD_BYTES)).decode().rstrip("=").lower()
