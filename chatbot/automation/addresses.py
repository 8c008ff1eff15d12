"""Addresses that rules and webhooks call, as those see them who may not change them: a path may be a secret."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from chatbot.identity.subject import Subject


def address_seen_by(subject: Subject, tenant_id: UUID, url: str) -> str:
    """Return the address for the tenant's administrators, else scheme and host alone."""
    if subject.administers(tenant_id):
        return url
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    rest = parts.path.strip("/") or parts.query or parts.fragment
    return f"{parts.scheme}://{host}/…" if rest else f"{parts.scheme}://{host}"


def actions_seen_by(subject: Subject, tenant_id: UUID, actions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return a rule's actions with their addresses as `address_seen_by`."""
    return [
        {**action, "url": address_seen_by(subject, tenant_id, action["url"])} if "url" in action else dict(action)
        for action in actions
    ]
