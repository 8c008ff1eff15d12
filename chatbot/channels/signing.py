"""Pieces that several providers' proofs are made of."""

import base64
import hashlib
import hmac
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
