"""Secrets: random tokens, their hashes, comparison in constant time."""

import hashlib
import hmac
import secrets


def random_secret(prefix: str = "", size: int = 32) -> str:
    """Return a URL-safe random secret of `size` bytes of entropy behind a readable prefix."""
    return prefix + secrets.token_urlsafe(size)


def hash_secret(secret: str) -> str:
    """Return the SHA-256 of a high-entropy secret, hex; for look-up by hash (not for passwords)."""
    return hashlib.sha256(secret.encode()).hexdigest()


def same(left: str, right: str) -> bool:
    """Compare two secrets in constant time."""
    return hmac.compare_digest(left.encode(), right.encode())
