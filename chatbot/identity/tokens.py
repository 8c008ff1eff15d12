"""Signed tokens of admins, of visitors and of our own processes: of different keys, audiences and types."""

import base64
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import jwt

from chatbot.core.clock import utcnow
from chatbot.core.errors import Unauthenticated
from chatbot.core.ids import new_id

ISSUER = "xin"
ADMIN_AUDIENCE = "xin-admin"
EMBED_AUDIENCE = "xin-embed"
SERVICE_AUDIENCE = "xin-internal"
ADMIN_LIFETIME = timedelta(minutes=15)
EMBED_LIFETIME = timedelta(minutes=10)
SERVICE_LIFETIME = timedelta(seconds=60)
ROTATION_OVERLAP = timedelta(minutes=15)
_ALGORITHM = "HS256"
_VISITOR_PURPOSE = "xin-visitor"
_REQUIRED = ["aud", "iss", "exp", "iat", "sub", "type", "jti"]


@dataclass(frozen=True, slots=True)
class TokenKeys:
    """The signing keys of one process.

    The previous ones verify tokens issued before a rotation, the admin's until `previous_until` and the embed key until
    `embed_previous_until` (None: as the admin's): a rotation is a restart, so that is a quarter of an hour after the
    first start with them.
    """

    admin: str
    embed: str
    admin_previous: str | None = None
    embed_previous: str | None = None
    previous_until: datetime | None = None
    embed_previous_until: datetime | None = None

    def before(self) -> "TokenKeys | None":
        """Return the keys from before a rotation, None when there was none or its time is over."""
        admin = self.admin_previous if _lasts(self.previous_until) else None
        embed = self.embed_previous if _lasts(self.embed_previous_until or self.previous_until) else None
        return TokenKeys(admin or self.admin, embed or self.embed) if admin or embed else None


def _lasts(until: datetime | None) -> bool:
    return until is not None and utcnow() <= until


def issue_admin_token(
    keys: TokenKeys, *, subject: str, claims: dict[str, Any], lifetime: timedelta = ADMIN_LIFETIME
) -> str:
    """Sign an admin access token (`type` access) for a subject such as `user:<id>`."""
    return _issue(keys.admin, ADMIN_AUDIENCE, "access", claims={**claims, "sub": subject}, lifetime=lifetime)


def issue_embed_token(
    keys: TokenKeys,
    *,
    tenant_id: UUID,
    brand_id: UUID,
    visitor: Mapping[str, str],
    origin: str | None,
    said: Mapping[str, str] | None = None,
    lifetime: timedelta = EMBED_LIFETIME,
) -> tuple[str, datetime]:
    """Sign a visitor's token, bound to tenant, brand, visitor and origin; at most 10 minutes.

    Args:
        visitor: who it is, as whoever asks for the token vouches for.
        said: what the visitor says of themselves.

    Returns:
        The token and when it expires.
    """
    claims = {
        "tenant_id": str(tenant_id),
        "brand_id": str(brand_id),
        "visitor": dict(visitor),
        "said": dict(said or {}),
        "origin": origin,
        "sub": f"visitor:{visitor.get('id') or new_id()}",
    }
    lifetime = min(lifetime, EMBED_LIFETIME)
    return _issue(keys.embed, EMBED_AUDIENCE, "embed", claims=claims, lifetime=lifetime), utcnow() + lifetime


def issue_service_token(keys: TokenKeys, *, subject: str, tenant_id: UUID) -> str:
    """Sign what one process of ours shows another: good for a minute and one tenant's messages."""
    claims = {"sub": subject, "tenant_id": str(tenant_id)}
    return _issue(_service_key(keys), SERVICE_AUDIENCE, "service", claims=claims, lifetime=SERVICE_LIFETIME)


def visitor_mark(keys: TokenKeys, tenant_id: UUID, visitor_id: UUID) -> bytes:
    """Return what proves that an anonymous visitor of a tenant is known to us: under a key of its own."""
    return hmac.digest(_derived_key(keys, _VISITOR_PURPOSE).encode(), tenant_id.bytes + visitor_id.bytes, "sha256")


def read_service_token(keys: TokenKeys, token: str) -> dict[str, Any]:
    """Verify a service token and return its claims."""
    return _read_rotated(keys, lambda these: _read(_service_key(these), token, SERVICE_AUDIENCE, "service"))


def _service_key(keys: TokenKeys) -> str:
    """A key of its own, so that no visitor's token can pass for a service's even if a check of claims were missed."""
    return _derived_key(keys, SERVICE_AUDIENCE)


def _derived_key(keys: TokenKeys, purpose: str) -> str:
    return hmac.digest(keys.embed.encode(), purpose.encode(), "sha256").hex()


def read_admin_token(keys: TokenKeys, token: str) -> dict[str, Any]:
    """Verify an admin access token and return its claims.

    Raises:
        Unauthenticated: wrong key, algorithm, audience, issuer or type, expired, or a claim is missing.
    """
    return _read_rotated(keys, lambda these: _read(these.admin, token, ADMIN_AUDIENCE, "access"))


def read_embed_token(keys: TokenKeys, token: str) -> dict[str, Any]:
    """Verify an embed token and return its claims."""
    return _read_rotated(keys, lambda these: _read(these.embed, token, EMBED_AUDIENCE, "embed"))


def _read_rotated(keys: TokenKeys, read: Callable[[TokenKeys], dict[str, Any]]) -> dict[str, Any]:
    """Verify by the key of now, else by the one before it while that still holds."""
    try:
        return read(keys)
    except Unauthenticated:
        before = keys.before()
        if before is None:
            raise
    claims = read(before)
    if utcnow().timestamp() - float(claims["iat"]) > ROTATION_OVERLAP.total_seconds():
        raise Unauthenticated("the token was signed by a key that is retired")
    return claims


def audience_of(token: str) -> str | None:
    """Return the audience that a token claims, unverified: only to choose the key that must verify it."""
    audience = claims_of(token).get("aud")
    return audience if isinstance(audience, str) else None


def claims_of(token: str) -> dict[str, Any]:
    """Return what a token claims, unverified: for one that was verified already. Empty when it is no token."""
    payload = token.partition(".")[2].partition(".")[0]
    try:
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}


def _issue(key: str, audience: str, kind: str, *, claims: dict[str, Any], lifetime: timedelta) -> str:
    now = utcnow()
    body = {
        **claims,
        "iss": ISSUER,
        "aud": audience,
        "type": kind,
        "iat": now,
        "exp": now + lifetime,
        "jti": str(new_id()),
    }
    return jwt.encode(body, key, algorithm=_ALGORITHM)


_NO_TOKEN = "this is no token, and no API key, GATEWAY_TOKEN or LOG_TOKEN of this platform"  # noqa: S105 - words


def _read(key: str, token: str, audience: str, kind: str) -> dict[str, Any]:
    try:
        claims: dict[str, Any] = jwt.decode(
            token, key, algorithms=[_ALGORITHM], audience=audience, issuer=ISSUER, options={"require": _REQUIRED}
        )
    except jwt.PyJWTError as error:
        if type(error) is jwt.DecodeError:
            raise Unauthenticated(_NO_TOKEN) from None
        raise Unauthenticated(f"the token does not hold: {error}") from None
    if claims["type"] != kind:
        raise Unauthenticated("the token is of another type")
    return claims
