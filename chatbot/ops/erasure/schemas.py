"""Bodies of erasures."""

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from chatbot.core.schemas import RequestBody, ResponseBody, Timestamp
from chatbot.dialogue.handoff.schemas import Email

NamedBy = Literal["visitor", "conversation", "email"]


class EraseVisitor(RequestBody):
    """Who is erased: exactly one of the three.

    Attributes:
        visitor: who they are in conversations: `visitor:42`, or a channel's type and the provider's id of them, such as
            `telegram:1234`; or their id or name as the inbox shows it, where it is one visitor's alone; all of their
            conversations go.
        conversation_id: the visitor of this conversation, with all of theirs; of one that a gateway or a key began for
            somebody whom it did not name, this one alone.
        email: all conversations and tickets with this address, on every channel.
        dry_run: count, and remove nothing.
    """

    visitor: Annotated[str, StringConstraints(min_length=1, max_length=300)] | None = None
    conversation_id: UUID | None = None
    email: Email | None = None
    dry_run: bool = False

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if sum(name is not None for name in (self.visitor, self.conversation_id, self.email)) != 1:
            raise ValueError("exactly one of visitor, conversation_id and email must be given")
        return self

    @property
    def named_by(self) -> NamedBy:
        """By what the visitor is named."""
        if self.visitor is not None:
            return "visitor"
        return "email" if self.email is not None else "conversation"

    @property
    def name(self) -> str:
        """What stands there."""
        return self.visitor or self.email or str(self.conversation_id)


class Removed(ResponseBody):
    """What was removed from where.

    Attributes:
        rows: by table; of `usage_records` and `channel_states` what could lead to the visitor, the numbers stay.
        files: stored files.
        files_waiting: those of them that the file store has not given up yet; the queue goes on trying.
        sessions: entries in Redis.
        exports: exported files of the platform in which the visitor stood.
        log_marks: places in log files that were blanked; told to platform admins only, for the files are all tenants'.
    """

    rows: dict[str, int] = Field(default_factory=dict)
    files: int = 0
    files_waiting: int = 0
    sessions: int = 0
    exports: int = 0
    log_marks: int | None = 0


class ErasureReceipt(ResponseBody):
    """An erasure, without anything of the visitor.

    `visitor_hash` is SHA-256 over the tenant's id, a line break, and the visitor, address or conversation id that was
    named: who knows it can prove that it was this one. `id` and `created_at` are null of a dry run.
    """

    id: UUID | None
    dry_run: bool
    requested_by: str
    named_by: NamedBy
    visitor_hash: str
    removed: Removed
    created_at: Timestamp | None

    def without_logs(self) -> Self:
        """Return the receipt as a tenant's administrators see it."""
        return self.model_copy(update={"removed": self.removed.model_copy(update={"log_marks": None})})
