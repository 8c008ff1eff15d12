"""FastAPI dependencies that endpoints are coded against: the process's parts, and who is calling.

Each is `async`, for a plain function would cost a hop through a thread, and takes an `HTTPConnection`, so that
sockets use the same ones as requests.
"""

from typing import Annotated
from uuid import UUID

import procrastinate
from fastapi import Depends
from fastapi.openapi.models import HTTPBearer as HttpBearerModel
from fastapi.security.base import SecurityBase
from starlette.requests import HTTPConnection

from chatbot.core.blobs import BlobStore
from chatbot.core.errors import InvalidInput, Unauthenticated
from chatbot.core.settings import Settings
from chatbot.db.sessions import Database
from chatbot.identity.access.service import Access
from chatbot.identity.subject import Subject
from chatbot.identity.tokens import TokenKeys, read_service_token

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


def make_access(database: Database, keys: TokenKeys, settings: Settings) -> Access:
    """Return a process's resolver of credentials."""
    gateway_token = settings.gateway_token.get_secret_value() if settings.gateway_token else None
    return Access(database, keys, gateway_token)


Db = Annotated[Database, Depends(_database)]
AppSettings = Annotated[Settings, Depends(_settings)]
Blobs = Annotated[BlobStore, Depends(_blobs)]
Queue = Annotated[procrastinate.App, Depends(_jobs)]
Keys = Annotated[TokenKeys, Depends(_keys)]
Resolver = Annotated[Access, Depends(access_of)]


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
_chat_bearer = _Bearer("chat", "Embed token, API key, admin access token or GATEWAY_TOKEN.")


async def _caller(access: Resolver, credential: Annotated[str | None, Depends(_admin_bearer)]) -> Subject:
    if credential is None:
        raise Unauthenticated
    return await access.admin(credential)


async def _service_tenant(keys: Keys, credential: Annotated[str | None, Depends(_service_bearer)]) -> UUID:
    if credential is None:
        raise Unauthenticated
    return UUID(read_service_token(keys, credential)["tenant_id"])


async def _maybe_chat_caller(
    connection: HTTPConnection, access: Resolver, credential: Annotated[str | None, Depends(_chat_bearer)]
) -> Subject | None:
    if credential is None:
        return None
    tenant_id = _tenant_header(connection)
    return await access.chat(credential, tenant_id=tenant_id, origin=connection.headers.get("origin"))


async def _chat_caller(subject: Annotated[Subject | None, Depends(_maybe_chat_caller)]) -> Subject:
    if subject is None:
        raise Unauthenticated
    return subject


def _tenant_header(connection: HTTPConnection) -> UUID | None:
    given = connection.headers.get("x-tenant-id")
    if not given:
        return None
    try:
        return UUID(given)
    except ValueError:
        raise InvalidInput.field("X-Tenant-Id", "must be a UUID") from None


Caller = Annotated[Subject, Depends(_caller)]
"""Whoever calls `/admin/*`: an admin token or an API key; 401 otherwise."""

ChatCaller = Annotated[Subject, Depends(_chat_caller)]
"""Whoever chats; `tenant_id` is set. 401 without a good credential."""

MaybeChatCaller = Annotated[Subject | None, Depends(_maybe_chat_caller)]
"""As `ChatCaller`, None when there is no `Authorization` header at all; a bad one is still 401."""

ServiceTenant = Annotated[UUID, Depends(_service_tenant)]
"""The tenant that another process of ours speaks for; 401 for everybody else."""
