"""A visitor's message on its way into the dialogue: within a process, or from a gateway to the orchestrator."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar
from uuid import UUID

from pydantic import ConfigDict


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that lies in the blob store and is to become part of a message; `mime` is what its content is."""

    id: UUID
    name: str
    mime: str
    size: int
    blob_key: str

    @property
    def kind(self) -> str:
        """What it is to a person: image, audio, video or document."""
        family = self.mime.partition("/")[0]
        return family if family in ("image", "audio", "video") else "document"


@dataclass(frozen=True, slots=True)
class Incoming:
    """A visitor's message as a channel hands it over.

    Attributes:
        session_key: finds or begins a conversation on the channel; or `conversation_id` names one.
        session_id: the session as the client names it, for whoever operates the platform.
        owner: the subject that may go on with the conversation.
        any_owner: whether the caller may write in conversations of others (the role agent or above).
        channel_id: None for the brand's web channel; `brand_id` None for the tenant's default brand.
        client_message_id: the client's own id, to repeat a request safely; `provider_event_id`: the channel's.
        provider_message_id: by which the provider names the message later; `content`: what of it is not text.
        files: come with the message and are stored with it.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    tenant_id: UUID
    text: str
    owner: str
    session_key: str
    session_id: str | None = None
    conversation_id: UUID | None = None
    any_owner: bool = False
    brand_id: UUID | None = None
    channel_id: UUID | None = None
    visitor: Mapping[str, str] = field(default_factory=dict)
    locale: str | None = None
    client_message_id: str | None = None
    provider_event_id: str | None = None
    provider_message_id: str | None = None
    content: Mapping[str, Any] = field(default_factory=dict)
    files: tuple[StoredFile, ...] = ()
