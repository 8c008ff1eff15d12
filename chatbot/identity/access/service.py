"""From a bearer credential to the subject behind it; what is revoked stops working within 30 s in every process."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from chatbot.core import crypto
from chatbot.core.cache import TimedCache
from chatbot.core.clock import utcnow
from chatbot.core.errors import InvalidInput, NotFound, Unauthenticated
from chatbot.db.sessions import Database
from chatbot.identity.access import repository
from chatbot.identity.demo import DEMO_TENANT_ID
from chatbot.identity.denied import CredentialRefused
from chatbot.identity.subject import Role, Subject, highest
from chatbot.identity.tokens import EMBED_AUDIENCE, TokenKeys, audience_of, read_admin_token, read_embed_token

API_KEY_PREFIX = "xin_sk_"
LOG_TOKEN_NAME = "log_token"  # noqa: S105 - what the subject is called
CACHE_SECONDS = 30.0
_NOT_GOOD = "the credential is unknown, expired or revoked"


class Access:
    """Resolves credentials for one process and remembers good ones for `CACHE_SECONDS`."""

    def __init__(
        self, database: Database, keys: TokenKeys, gateway_token: str | None = None, log_token: str | None = None
    ) -> None:
        self._database = database
        self._keys = keys
        self._gateway_token = gateway_token
        self._log_token = log_token
        self._subjects: TimedCache[str, Subject] = TimedCache(CACHE_SECONDS)
        self._tenants: TimedCache[UUID, bool] = TimedCache(CACHE_SECONDS)

    async def admin(self, credential: str) -> Subject:
        """Return the subject of an admin token or an API key.

        Raises:
            Unauthenticated: the credential does not hold any more, or never did.
        """
        if credential.startswith(API_KEY_PREFIX):
            return await self._api_key(credential)
        return await self._admin_token(read_admin_token(self._keys, credential))

    async def chat(self, credential: str, *, tenant_id: UUID | None, origin: str | None) -> Subject:
        """Return the subject of any credential that may chat; its `tenant_id` is always set.

        Args:
            credential: embed token, API key, admin token or `GATEWAY_TOKEN`.
            tenant_id: of `X-Tenant-Id`: chooses where the credential reaches several tenants.
            origin: of `Origin`: must be the embed token's, when it names one.

        Raises:
            Unauthenticated: the credential does not hold.
            NotFound: the tenant asked for is unknown or none of the subject's.
            InvalidInput: several tenants are reached and none was chosen.
        """
        if self._gateway_token and crypto.same(credential, self._gateway_token):
            return await self._program("gateway", Role.VISITOR, tenant_id or DEMO_TENANT_ID)
        if not credential.startswith(API_KEY_PREFIX) and audience_of(credential) == EMBED_AUDIENCE:
            return await self._visitor(credential, tenant_id, origin)
        return await self._in_tenant(await self.admin(credential), tenant_id)

    async def operator(self, credential: str, *, tenant_id: UUID | None) -> Subject:
        """Return the subject of `LOG_TOKEN`, an agent of one tenant, or else what `admin` returns.

        Args:
            tenant_id: of `X-Tenant-Id`; whoever shows `LOG_TOKEN` without it works for the demo tenant.

        Raises:
            Unauthenticated: the credential does not hold.
            NotFound: there is no such tenant.
        """
        if self.is_log_token(credential):
            return await self.log_token(credential, tenant_id=tenant_id)
        return await self.admin(credential)

    async def log_token(self, credential: str, *, tenant_id: UUID | None) -> Subject:
        """As `operator`, of `LOG_TOKEN` and nothing else."""
        if not self.is_log_token(credential):
            raise Unauthenticated(_NOT_GOOD)
        return await self._program(LOG_TOKEN_NAME, Role.AGENT, tenant_id or DEMO_TENANT_ID)

    async def log_follower(self, credential: str) -> None:
        """Raise unless it is `LOG_TOKEN` or a platform administrator's: the log is of every tenant."""
        if not self.is_log_token(credential):
            (await self.admin(credential)).require_platform_admin()

    async def operator_of_tenant(self, credential: str, *, tenant_id: UUID | None) -> Subject:
        """As `operator`, with `tenant_id` set: that of the header, or the only one that the credential reaches.

        Raises:
            InvalidInput: several tenants are reached and none was chosen.
        """
        subject = await self.operator(credential, tenant_id=tenant_id)
        return subject if subject.name == LOG_TOKEN_NAME else await self._in_tenant(subject, tenant_id)

    def forget(self) -> None:
        """Drop what is remembered: after a revocation in this process, so that it holds here at once."""
        self._subjects.clear()
        self._tenants.clear()

    async def _api_key(self, credential: str) -> Subject:
        key_hash = crypto.hash_secret(credential)
        known = self._subjects.get(key_hash)
        if known:
            return known
        async with self._database.platform() as session:
            found = await repository.find_api_key(session, key_hash, utcnow())
        if found is None:
            raise Unauthenticated(_NOT_GOOD)
        name = f"api_key:{found.key_id}"
        if not found.good:
            raise CredentialRefused(_NOT_GOOD, whose=name, tenant_id=found.tenant_id)
        others = tuple(f"api_key:{key_id}" for key_id in found.rotated)
        subject = Subject(name, Role(found.role), found.tenant_id, same_program=others)
        self._subjects.put(key_hash, subject)
        return subject

    async def _admin_token(self, claims: Mapping[str, Any]) -> Subject:
        name = str(claims["sub"])
        if name == "cli":
            return await self._command_line(claims)
        user_id, session_id = _uuid(name.removeprefix("user:")), _uuid(claims.get("sid"))
        key = f"{user_id}/{session_id}"
        known = self._subjects.get(key)
        if known:
            return known
        async with self._database.platform() as session:
            found = await repository.find_signed_in(session, user_id, session_id, utcnow())
        if found is None:
            raise Unauthenticated(_NOT_GOOD)
        subject = user_subject(found, session_id)
        self._subjects.put(key, subject)
        return subject

    async def _command_line(self, claims: Mapping[str, Any]) -> Subject:
        """A token minted on this machine, by whoever holds the signing key: accepted as signed."""
        try:
            role = Role(str(claims.get("role")))
        except ValueError:
            raise Unauthenticated("the token names no known role") from None
        if role is Role.VISITOR:
            raise Unauthenticated("the token names no admin's role")
        if role is Role.PLATFORM_ADMIN and claims.get("tenant_id") is None:
            return Subject("cli", role)
        tenant_id = _uuid(claims.get("tenant_id"))
        await self._require_living(tenant_id)
        return Subject("cli", role, tenant_id)

    async def _visitor(self, credential: str, asked: UUID | None, origin: str | None) -> Subject:
        claims = read_embed_token(self._keys, credential)
        if claims.get("origin") and origin and claims["origin"] != origin:
            raise Unauthenticated("the token belongs to another origin")
        tenant_id, brand_id = _uuid(claims.get("tenant_id")), _uuid(claims.get("brand_id"))
        if asked not in (None, tenant_id):
            raise NotFound("no such tenant")
        await self._require_living(tenant_id)
        told = {**(claims.get("said") or {}), **(claims.get("visitor") or {})}
        visitor = {str(key): str(value) for key, value in told.items()}
        return Subject(str(claims["sub"]), Role.VISITOR, tenant_id, brand_id=brand_id, visitor=visitor)

    def is_log_token(self, credential: str) -> bool:
        """Whether it is `LOG_TOKEN`, compared in constant time; never while none is set."""
        return self._log_token is not None and crypto.same(credential, self._log_token)

    async def _program(self, name: str, role: Role, tenant_id: UUID) -> Subject:
        if not await self._lives(tenant_id):
            raise NotFound("no such tenant")
        return Subject(name, role, tenant_id)

    async def _in_tenant(self, subject: Subject, asked: UUID | None) -> Subject:
        tenant_id = asked or subject.only_tenant()
        if tenant_id is None:
            raise InvalidInput.field("X-Tenant-Id", "is needed: this credential reaches several tenants")
        subject.reach(tenant_id, Role.VIEWER)
        if not await self._lives(tenant_id):
            raise NotFound("no such tenant")
        return replace(subject, tenant_id=tenant_id, role=subject.role_in(tenant_id) or subject.role)

    async def _require_living(self, tenant_id: UUID) -> None:
        if not await self._lives(tenant_id):
            raise Unauthenticated(_NOT_GOOD)

    async def _lives(self, tenant_id: UUID) -> bool:
        if self._tenants.get(tenant_id):
            return True
        async with self._database.platform() as session:
            lives = await repository.tenant_lives(session, tenant_id)
        if lives:
            self._tenants.put(tenant_id, lives)
        return lives


def user_subject(user: repository.UserRow, session_id: UUID) -> Subject:
    """Return the subject of a signed-in user."""
    roles = {tenant_id: Role(role) for tenant_id, role in user.memberships.items()}
    role = Role.PLATFORM_ADMIN if user.is_platform_admin else highest(roles.values())
    return Subject(f"user:{user.user_id}", role, memberships=roles, session_id=session_id)


def _uuid(value: object) -> UUID:
    try:
        return UUID(str(value))
    except ValueError:
        raise Unauthenticated("the token misses an id") from None
