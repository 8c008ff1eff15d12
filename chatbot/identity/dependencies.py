"""FastAPI dependencies that endpoints are coded against: the process's parts, and who is calling.

Each is `async`, for a plain function would cost a hop through a thread, and takes an `HTTPConnection`, so that
sockets use the same ones as requests.
"""

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

import procrastinate
from fastapi import Depends, Query
from fastapi.openapi.models import HTTPBearer as HttpBearerModel
from fastapi.security.base import SecurityBase
from starlette.requests import HTTPConnection

from chatbot.core import correlation
from chatbot.core.blobs import BlobStore
from chatbot.core.crypto import Vault
from chatbot.core.errors import InvalidInput, Unauthenticated
from chatbot.core.settings import Settings
from chatbot.db.sessions import Database
from chatbot.identity.access.origins import Origins
from chatbot.identity.access.service import Access
from chatbot.identity.audit.acting import acting
from chatbot.identity.mail import Mail
from chatbot.identity.subject import Subject
from chatbot.identity.tokens import TokenKeys, claims_of, read_service_token

_MAX_CREDENTIAL = 8192


async def _database(connection: HTTPConnection) -> Database:
    database: Database = connection.app.state.database
    return database


async def _settings(connection: HTTPConnection) -> Settings:
    settings: Settings = connection.app.state.settings
    return settings


async def _blobs(connection: HTTPConnection) -> BlobStore:
    blobs: BlobStore = connection.app.state.blobs
    return blobs


async def _jobs(connection: HTTPConnection) -> procrastinate.App:
    jobs: procrastinate.App = connection.app.state.jobs
    return jobs


async def _keys(connection: HTTPConnection) -> TokenKeys:
    keys: TokenKeys = connection.app.state.keys
    return keys


async def access_of(connection: HTTPConnection) -> Access:
    """Return the application's resolver of credentials; the first request makes it."""
    state = connection.app.state
    known: Access | None = getattr(state, "access", None)
    if known is None:
        known = state.access = make_access(state.database, state.keys, state.settings)
    return known


def client_address(connection: HTTPConnection) -> str:
    """Return the client's IP address, behind trusted proxies the one that they name."""
    return connection.client.host if connection.client else "unknown"


def make_access(database: Database, keys: TokenKeys, settings: Settings) -> Access:
    """Return a process's resolver of credentials."""
    gateway_token, log_token = (
        secret.get_secret_value() if secret else None for secret in (settings.gateway_token, settings.log_token)
    )
    return Access(database, keys, gateway_token, log_token)


async def _mail(connection: HTTPConnection) -> Mail:
    mail: Mail = connection.app.state.mail
    return mail


async def _origins(connection: HTTPConnection) -> Origins:
    state = connection.app.state
    known: Origins | None = getattr(state, "origins", None)
    if known is None:
        known = state.origins = Origins(state.database, state.settings)
    return known


async def _vault(connection: HTTPConnection) -> Vault:
    vault: Vault = connection.app.state.vault
    return vault


Db = Annotated[Database, Depends(_database)]
AppSettings = Annotated[Settings, Depends(_settings)]
Blobs = Annotated[BlobStore, Depends(_blobs)]
Queue = Annotated[procrastinate.App, Depends(_jobs)]
TheMail = Annotated[Mail, Depends(_mail)]
Keys = Annotated[TokenKeys, Depends(_keys)]
Secrets = Annotated[Vault, Depends(_vault)]
Resolver = Annotated[Access, Depends(access_of)]
Pages = Annotated[Origins, Depends(_origins)]
"""Which pages may use whose chat."""


class _Bearer(SecurityBase):
    """`Authorization: Bearer …` as text, None without the header; told to OpenAPI as a security scheme."""

    def __init__(self, scheme_name: str, description: str) -> None:
        self.scheme_name = scheme_name
        self.model = HttpBearerModel(description=description)

    async def __call__(self, connection: HTTPConnection) -> str | None:
        header = connection.headers.get("authorization")
        if header is None:
            return None
        scheme, _, credential = header.partition(" ")
        credential = credential.strip()
        if scheme.lower() != "bearer" or not credential:
            raise Unauthenticated("Authorization: must be `Bearer <credential>`")
        if len(credential) > _MAX_CREDENTIAL:
            raise Unauthenticated(f"Authorization: at most {_MAX_CREDENTIAL} characters are accepted")
        return credential


_admin_bearer = _Bearer("admin", "Admin access token or API key.")
_service_bearer = _Bearer("service", "What one process of ours shows another.")
_operator_bearer = _Bearer("operator", "LOG_TOKEN, admin access token or API key.")
_chat_bearer = _Bearer("chat", "Embed token, API key, admin access token or GATEWAY_TOKEN.")


async def _caller(
    connection: HTTPConnection, access: Resolver, credential: Annotated[str | None, Depends(_admin_bearer)]
) -> AsyncIterator[Subject]:
    if credential is None:
        raise Unauthenticated
    subject = _told_in_logs(await access.admin(credential))
    with acting(subject.name, client_address(connection), connection):
        yield subject


async def _unaudited(connection: HTTPConnection) -> None:
    connection.state.unaudited = True


async def _operator(
    connection: HTTPConnection, access: Resolver, credential: Annotated[str | None, Depends(_operator_bearer)]
) -> AsyncIterator[Subject]:
    if credential is None:
        raise Unauthenticated
    subject = _told_in_logs(await access.operator(credential, tenant_id=_tenant_header(connection)))
    with acting(subject.name, client_address(connection), connection):
        yield subject


async def _operator_of_tenant(
    connection: HTTPConnection, access: Resolver, credential: Annotated[str | None, Depends(_operator_bearer)]
) -> AsyncIterator[Subject]:
    if credential is None:
        raise Unauthenticated
    subject = _told_in_logs(await access.operator_of_tenant(credential, tenant_id=_tenant_header(connection)))
    with acting(subject.name, client_address(connection), connection):
        yield subject


async def _log_reader(
    connection: HTTPConnection,
    access: Resolver,
    credential: Annotated[str | None, Depends(_operator_bearer)],
    token: Annotated[
        str | None, Query(max_length=_MAX_CREDENTIAL, description="`LOG_TOKEN`, in place of a header.")
    ] = None,
) -> Subject:
    tenant_id = _tenant_header(connection)
    if credential is not None:
        return await access.operator_of_tenant(credential, tenant_id=tenant_id)
    if token is None:
        raise Unauthenticated
    return await access.log_token(token, tenant_id=tenant_id)


async def _log_follower(
    access: Resolver,
    credential: Annotated[str | None, Depends(_operator_bearer)],
    token: Annotated[
        str | None, Query(max_length=_MAX_CREDENTIAL, description="`LOG_TOKEN`, in place of a header.")
    ] = None,
) -> None:
    if credential is not None:
        await access.log_follower(credential)
    elif token is None or not access.is_log_token(token):
        raise Unauthenticated


async def _service_tenant(keys: Keys, credential: Annotated[str | None, Depends(_service_bearer)]) -> UUID:
    if credential is None:
        raise Unauthenticated
    tenant_id = UUID(read_service_token(keys, credential)["tenant_id"])
    correlation.of_tenant(tenant_id)
    return tenant_id


async def _maybe_chat_caller(
    connection: HTTPConnection, access: Resolver, pages: Pages, credential: Annotated[str | None, Depends(_chat_bearer)]
) -> Subject | None:
    if credential is None:
        return None
    tenant_id, origin = _tenant_header(connection), connection.headers.get("origin")
    subject = _told_in_logs(await access.chat(credential, tenant_id=tenant_id, origin=origin))
    # A token that names its origin was compared with the page's; any other is good on the tenant's own pages only.
    if origin and not claims_of(credential).get("origin"):
        assert subject.tenant_id
        await pages.check(
            origin, host=connection.headers.get("host", ""), tenant_id=subject.tenant_id, brand_id=subject.brand_id
        )
    return subject


async def _chat_caller(subject: Annotated[Subject | None, Depends(_maybe_chat_caller)]) -> Subject:
    if subject is None:
        raise Unauthenticated
    return subject


def _told_in_logs(subject: Subject) -> Subject:
    """Let log lines of the request carry the subject's tenant."""
    if subject.tenant_id:
        correlation.of_tenant(subject.tenant_id)
    return subject


def _tenant_header(connection: HTTPConnection) -> UUID | None:
    given = connection.headers.get("x-tenant-id")
    if not given:
        return None
    try:
        return UUID(given)
    except ValueError:
        raise InvalidInput.field("X-Tenant-Id", "must be a UUID") from None


async def _asked_tenant(connection: HTTPConnection) -> UUID | None:
    return _tenant_header(connection)


Caller = Annotated[Subject, Depends(_caller)]
"""Whoever calls `/admin/*`: an admin token or an API key; 401 otherwise. What it changes is in the audit log."""

Unaudited = Depends(_unaudited)
"""For `dependencies=` of a route that is daily work and no administrator's change: not in the audit log."""

Operator = Annotated[Subject, Depends(_operator)]
"""As `Caller`, or whoever shows `LOG_TOKEN`: an agent of the tenant of `X-Tenant-Id`, or of the demo tenant."""

AskedTenant = Annotated[UUID | None, Depends(_asked_tenant)]
"""The tenant that `X-Tenant-Id` names; whether the caller reaches it is not looked at."""

OperatorOfTenant = Annotated[Subject, Depends(_operator_of_tenant)]
"""As `Operator`, with `tenant_id` set: of `X-Tenant-Id`, or the only tenant that the credential reaches."""

LogReader = Annotated[Subject, Depends(_log_reader)]
"""As `OperatorOfTenant`; `LOG_TOKEN`, and nothing else, may stand in the query too."""
LogFollower = Annotated[None, Depends(_log_follower)]
"""Whoever shows `LOG_TOKEN`, in a header or in the query, or is a platform administrator."""

ChatCaller = Annotated[Subject, Depends(_chat_caller)]
"""Whoever chats; `tenant_id` is set. 401 without a good credential."""

MaybeChatCaller = Annotated[Subject | None, Depends(_maybe_chat_caller)]
"""As `ChatCaller`, None when there is no `Authorization` header at all; a bad one is still 401."""

ServiceTenant = Annotated[UUID, Depends(_service_tenant)]
"""The tenant that another process of ours speaks for; 401 for everybody else."""
