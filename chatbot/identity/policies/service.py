"""Policies: read by each turn in its own session, saved as new versions; a save holds from the next turn on."""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from pydantic import ValidationError

from chatbot.core.errors import Conflict
from chatbot.core.logging import get_logger
from chatbot.db.models import PolicyVersion
from chatbot.db.sessions import TenantReader, TenantSession
from chatbot.identity.policies import repository
from chatbot.identity.policies.schemas import (
    PutPolicy,
    PutRetrievalConfig,
    RetrievalConfig,
    TenantPolicy,
    as_document,
)
from chatbot.identity.subject import Subject
from chatbot.identity.tenants.service import require_tenant

log = get_logger(__name__)
_POLICY = "policy"
_RETRIEVAL = "retrieval_config"

Doc = TypeVar("Doc", TenantPolicy, RetrievalConfig)


@dataclass(frozen=True, slots=True)
class Version(Generic[Doc]):
    """A document in force; `number` 0 is the defaults, that nobody saved."""

    document: Doc
    number: int
    saved_at: datetime | None
    saved_by: str | None


async def current_policy(session: TenantReader) -> TenantPolicy:
    """Return the policy in force in the session's tenant, its defaults when none was saved."""
    return (await policy_version(session)).document


async def current_retrieval_config(session: TenantReader) -> RetrievalConfig:
    """Return the retrieval configuration in force in the session's tenant, its defaults when none was saved."""
    return (await retrieval_config_version(session)).document


async def in_force(session: TenantReader) -> tuple[Version[TenantPolicy], Version[RetrievalConfig]]:
    """Return both documents in force in the session's tenant, read by one statement."""
    saved = {row.kind: row for row in await repository.newest_of_each(session)}
    return _version(saved.get(_POLICY), TenantPolicy), _version(saved.get(_RETRIEVAL), RetrievalConfig)


async def policy_version(session: TenantReader) -> Version[TenantPolicy]:
    """Return the policy in force with its version."""
    return await _newest(session, _POLICY, TenantPolicy)


async def retrieval_config_version(session: TenantReader) -> Version[RetrievalConfig]:
    """Return the retrieval configuration in force with its version."""
    return await _newest(session, _RETRIEVAL, RetrievalConfig)


async def save_policy(session: TenantSession, subject: Subject, wanted: PutPolicy) -> Version[TenantPolicy]:
    """Append a version.

    Raises:
        NotFound: no such tenant.
        Conflict: somebody saved another version since the one named.
    """
    await _append(session, subject, _POLICY, wanted)
    return await policy_version(session)


async def save_retrieval_config(
    session: TenantSession, subject: Subject, wanted: PutRetrievalConfig
) -> Version[RetrievalConfig]:
    """Append a version.

    Raises:
        NotFound: no such tenant.
        Conflict: somebody saved another version since the one named.
    """
    await _append(session, subject, _RETRIEVAL, wanted)
    return await retrieval_config_version(session)


async def _append(session: TenantSession, subject: Subject, kind: str, wanted: PutPolicy | PutRetrievalConfig) -> None:
    await require_tenant(session)
    row = await repository.newest(session, kind)
    newest = row.version if row else 0
    if wanted.version not in (None, newest):
        raise Conflict(f"version: {wanted.version} is not the newest any more; that is {newest}")
    document = as_document(wanted)
    saved = await repository.append(session, kind=kind, version=newest + 1, document=document, created_by=subject.name)
    if saved is None:
        raise Conflict("somebody else saved at the same time; read the newest version and try again")


async def _newest(session: TenantReader, kind: str, model: type[Doc]) -> Version[Doc]:
    return _version(await repository.newest(session, kind), model)


def _version(row: repository.Saved | PolicyVersion | None, model: type[Doc]) -> Version[Doc]:
    if row is None:
        return Version(model(), 0, None, None)
    return Version(_read(model, row.document, row.version), row.version, row.created_at, row.created_by)


def _read(model: type[Doc], stored: dict[str, object], version: int) -> Doc:
    """Validate what is stored; fields that a newer release no longer accepts fall back to their defaults."""
    try:
        return model.model_validate(stored)
    except ValidationError as error:
        refused = {str(problem["loc"][0]) for problem in error.errors() if problem["loc"]}
        log.warning("a saved policy holds fields that are not accepted any more", version=version, fields=list(refused))
        return model.model_validate({name: value for name, value in stored.items() if name not in refused})
