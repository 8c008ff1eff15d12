"""Pieces that several providers' proofs are made of."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from typing import Literal

from chatbot.channels.contract import Refused, Request
from chatbot.core.crypto import same

MAX_SKEW_SECONDS = 300


def header(request: Request, name: str) -> str:
    """Return a header that must be there (`name` in lower case); raises `Refused`."""
    value = request.headers.get(name, "")
    if not value:
        raise Refused("missing")
    return value


def require_same(given: str, expected: str) -> None:
    """Compare in constant time; an empty expectation refuses everything. Raises `Refused`."""
    if not expected or not same(given, expected):
        raise Refused("wrong")


def require_fresh(timestamp: str, now: float, *, skew: float = MAX_SKEW_SECONDS) -> None:
    """Refuse a signed time (Unix seconds) that is too far from now; raises `Refused`."""
    try:
        told = float(timestamp)
    except ValueError:
        raise Refused("wrong") from None
    if not abs(now - told) <= skew:
        raise Refused("stale")


def hmac_hex(secret: str, message: bytes, *, algorithm: Literal["sha256", "sha1"] = "sha256") -> str:
    """Return the HMAC of a message, hex."""
    return hmac.new(secret.encode(), message, algorithm).hexdigest()


def hmac_base64(secret: str | bytes, message: bytes, *, algorithm: Literal["sha256", "sha1"] = "sha256") -> str:
    """Return the HMAC of a message, base64."""
    key = secret.encode() if isinstance(secret, str) else secret
    return base64.b64encode(hmac.new(key, message, algorithm).digest()).decode()


def sha256_hex(message: bytes) -> str:
    """Return the SHA-256 of a message, hex."""
    return hashlib.sha256(message).hexdigest()


def standard_webhook_headers(secrets: Sequence[str], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the headers that prove a POST of ours by Standard Webhooks (standardwebhooks.com).

    Args:
        secrets: each `whsec_` and base64, as every library of that standard takes it; several while one is rotated.
        message_id: stays the same when the same message is sent again.
        timestamp: now, Unix seconds.
    """
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(
            f"v1,{_standard_signature(secret, message_id, str(timestamp), body)}" for secret in secrets
        ),
    }


def verify_standard_webhook(secret: str, request: Request, now: float, *, prefix: str = "webhook") -> None:
    """Refuse a request that Standard Webhooks does not prove; any of its `v1` signatures may. Raises `Refused`.

    Args:
        prefix: of the three headers; Svix, where the standard comes from, has its own name there.
    """
    message_id = header(request, f"{prefix}-id")
    timestamp = header(request, f"{prefix}-timestamp")
    given = [part.partition(",") for part in header(request, f"{prefix}-signature").split()]
    _require_secret(secret)
    expected = _standard_signature(secret, message_id, timestamp, request.body)
    matches = [same(signature, expected) for version, _, signature in given if version == "v1"]
    if not any(matches):
        raise Refused("wrong")
    require_fresh(timestamp, now)


def timestamped_signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return the `X-Signature` of a body: HMAC-SHA256 over its Unix time, a dot and the raw bytes."""
    return "sha256=" + hmac_hex(secret, timestamp.encode() + b"." + body)


def verify_timestamped_hmac(secret: str, request: Request, now: float) -> None:
    """Refuse a request whose `X-Timestamp` and `X-Signature` do not prove it. Raises `Refused`."""
    timestamp = header(request, "x-timestamp")
    given = header(request, "x-signature")
    _require_secret(secret)
    require_same(given, timestamped_signature(secret, timestamp, request.body))
    require_fresh(timestamp, now)


def _require_secret(secret: str) -> None:
    if not secret:
        raise Refused("wrong")


def _standard_signature(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    return hmac_base64(_standard_key(secret), f"{message_id}.{timestamp}.".encode() + body)


def _standard_key(secret: str) -> bytes:
    """The bytes behind `whsec_`; a secret that is no base64 (one that an operator made up) is the key as it is."""
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True) or secret.encode()
    except ValueError:
        return secret.encode()
