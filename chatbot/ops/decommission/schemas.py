"""Bodies of decommissioning."""

from typing import Any
from uuid import UUID

from pydantic import Field

from chatbot.core.schemas import ResponseBody, Timestamp


class ArchiveView(ResponseBody):
    """The ZIP in the file store: its key, size and SHA-256, and how many rows and files of each kind are in it."""

    key: str
    bytes: int
    sha256: str
    counts: dict[str, int]


class DestroyedSecret(ResponseBody):
    """A secret that is gone: of what it was, and the SHA-256 by which it is known again where it was copied to."""

    kind: str
    of: UUID
    sha256: str


class RevokedKey(ResponseBody):
    """An API key that is dead, with the SHA-256 of it."""

    id: UUID
    name: str
    sha256: str


class Begun(ResponseBody):
    """What was done by tries that broke: the last one's receipt tells of it too."""

    rules_paused: int = 0
    jobs: int = 0
    channels: list[UUID] = Field(default_factory=list)


class DecommissionReceipt(ResponseBody):
    """What became of a tenant that was taken out of service.

    Attributes:
        rules_paused: rules and outgoing webhooks that were active.
        cancelled: work that waited, by kind.
        channels: those that were closed, and whose webhooks were taken away at their providers.
        sessions_ended: of people who belong to no other tenant.
        restorable_until: until then `POST …/restore` brings it back; then its data is purged.
    """

    tenant_id: UUID
    name: str
    requested_by: str
    archive: ArchiveView
    rules_paused: int
    cancelled: dict[str, int]
    channels: list[UUID]
    secrets: list[DestroyedSecret]
    api_keys: list[RevokedKey]
    sessions_ended: int
    deleted_at: Timestamp
    restorable_until: Timestamp
    purged_at: Timestamp | None = None


def stored(receipt: DecommissionReceipt | Begun) -> dict[str, Any]:
    """Return a receipt as it is stored."""
    return receipt.model_dump(mode="json", exclude_none=True)
