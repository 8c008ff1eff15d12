"""Whose conversation it is: who must have begun what a visitor, or a program of a low role, may see."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Begun:
    """Who began a conversation (may be empty), and with which brand."""

    by: str
    brand_id: UUID | None


@dataclass(frozen=True, slots=True)
class Owner:
    """Who must have begun a conversation.

    Attributes:
        names: of the subject, and of the keys that are the same program's.
        brand_id: the only brand that the subject speaks with, for two brands may have different people with one id;
            None: any of the tenant.
    """

    names: frozenset[str]
    brand_id: UUID | None = None


def may_see(owner: Owner | None, begun: Begun) -> bool:
    """Whether a conversation is the owner's; None is staff and programs of the tenant, who see all of it."""
    return owner is None or (begun.by in owner.names and owner.brand_id in (None, begun.brand_id))
