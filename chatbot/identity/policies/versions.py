"""The history of a tenant's policies: what each save changed, and an earlier one in force again."""

from collections.abc import Iterator
from typing import Any

from chatbot.core.errors import NotFound
from chatbot.db.models import PolicyVersion
from chatbot.db.sessions import TenantReader, TenantSession
from chatbot.identity.policies import repository
from chatbot.identity.policies.schemas import PolicyKind, SavedVersion, VersionEntry
from chatbot.identity.policies.service import append_version, effective
from chatbot.identity.subject import Subject


async def page_of_versions(
    session: TenantReader, kind: PolicyKind, *, before: int | None, limit: int
) -> tuple[list[VersionEntry], int | None]:
    """Return a page of versions, newest first, and the number to go on before."""
    rows = await repository.page_of_versions(session, kind, before=before, limit=limit)
    earlier = [*rows[1:], None]
    entries = [_entry(kind, row, one_before) for row, one_before in zip(rows, earlier, strict=False)][:limit]
    return entries, entries[-1].version if len(rows) > limit else None


async def read_version(session: TenantReader, kind: PolicyKind, number: int) -> SavedVersion:
    """Return one version. Raises `NotFound`."""
    row, one_before = await _pair(session, kind, number)
    entry = _entry(kind, row, one_before)
    return SavedVersion(**dict(entry), kind=kind, document=effective(kind, row))


async def restore_version(session: TenantSession, subject: Subject, kind: PolicyKind, number: int) -> SavedVersion:
    """Save an earlier version's document as the newest one; it holds from the next turn on.

    Raises:
        NotFound: no such version.
        Conflict: somebody saved another version at the same time.
    """
    row, _ = await _pair(session, kind, number)
    return await read_version(session, kind, await append_version(session, subject, kind, row.document))


async def _pair(session: TenantReader, kind: PolicyKind, number: int) -> tuple[PolicyVersion, PolicyVersion | None]:
    """Return a version and the one before it."""
    rows = await repository.page_of_versions(session, kind, before=number + 1, limit=1)
    if not rows or rows[0].version != number:
        raise NotFound("no such version")
    return rows[0], rows[1] if len(rows) > 1 else None


def _entry(kind: PolicyKind, row: PolicyVersion, one_before: PolicyVersion | None) -> VersionEntry:
    now, then = (effective(kind, each).model_dump(mode="json") for each in (row, one_before))
    return VersionEntry(
        version=row.version, created_by=row.created_by, created_at=row.created_at, changed=sorted(_changed(now, then))
    )


def _changed(now: dict[str, Any], then: dict[str, Any], within: str = "") -> Iterator[str]:
    """Give the dotted names of fields that differ; a part with fields of its own is looked into."""
    for name in now.keys() | then.keys():
        value, before = now.get(name), then.get(name)
        if isinstance(value, dict) and isinstance(before, dict):
            yield from _changed(value, before, f"{within}{name}.")
        elif value != before:
            yield f"{within}{name}"
