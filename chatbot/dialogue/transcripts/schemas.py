"""A transcript, and the bodies of its API."""

import re
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field

from chatbot.core.schemas import RequestBody, ResponseBody, Timestamp

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")

Role = Literal["visitor", "bot", "agent", "system"]


def _address(value: str) -> str:
    if not _ADDRESS.fullmatch(value):
        raise ValueError("must be a plain e-mail address such as ann@example.com")
    return value


EmailAddress = Annotated[str, Field(max_length=320), AfterValidator(_address)]


class TranscriptSource(ResponseBody):
    """What an answer rests on."""

    index: int
    title: str
    url: str | None


class TranscriptMessage(ResponseBody):
    """One message, with the name of whoever wrote it; `files` are the names of what came along."""

    seq: int
    role: Role
    name: str
    text: str
    sources: list[TranscriptSource] = Field(default_factory=list)
    files: list[str] = Field(default_factory=list)
    created_at: Timestamp


class TranscriptVisitor(ResponseBody):
    """Who asked, as far as it is known."""

    name: str | None
    email: str | None


class Transcript(ResponseBody):
    """A conversation; `omitted` earlier messages are left out of a very long one."""

    conversation_id: UUID
    brand_name: str
    channel_type: str
    state: str
    language: str
    visitor: TranscriptVisitor
    created_at: Timestamp
    closed_at: Timestamp | None
    omitted: int
    messages: list[TranscriptMessage]


class SessionTranscript(ResponseBody):
    """A conversation by the name of its session, under the names that operators' tickets have."""

    sessionId: str  # noqa: N815 - names that programs outside rely on
    conversationId: UUID  # noqa: N815
    createdAt: Timestamp  # noqa: N815
    state: str
    transcript: list[TranscriptMessage]


class MailTranscript(RequestBody):
    """To whom a transcript is mailed."""

    email: EmailAddress


class Accepted(ResponseBody):
    """It is on its way."""

    status: Literal["accepted"] = "accepted"
