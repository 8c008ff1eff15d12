"""Secrets: random tokens, their hashes, HMAC signatures, encryption at rest."""

import hashlib
import hmac
import json
import secrets
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


def random_secret(prefix: str = "", size: int = 32) -> str:
    """Return a URL-safe random secret of `size` bytes of entropy behind a readable prefix."""
    return prefix + secrets.token_urlsafe(size)


def hash_secret(secret: str) -> str:
    """Return the SHA-256 of a high-entropy secret, hex; for look-up by hash (not for passwords)."""
    return hashlib.sha256(secret.encode()).hexdigest()


def same(left: str, right: str) -> bool:
    """Compare two secrets in constant time."""
    return hmac.compare_digest(left.encode(), right.encode())


def hmac_sha256(secret: str, message: bytes) -> str:
    """Return the hex HMAC-SHA256 of a message."""
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


class Vault:
    """Encryption at rest by MultiFernet; tenant and row are bound inside the ciphertext.

    Args:
        keys: Fernet keys, newest first; the first encrypts, all decrypt.
    """

    def __init__(self, keys: list[str]) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def seal(self, tenant_id: UUID, row_id: UUID, plain: str) -> bytes:
        """Encrypt a secret for one row of one tenant."""
        body = json.dumps([str(tenant_id), str(row_id), plain])
        return self._fernet.encrypt(body.encode())

    def open(self, tenant_id: UUID, row_id: UUID, sealed: bytes) -> str:
        """Decrypt a secret.

        Raises:
            ValueError: the ciphertext is damaged, under an unknown key, or of another row.
        """
        try:
            tenant, row, plain = json.loads(self._fernet.decrypt(sealed))
        except InvalidToken:
            raise ValueError("the stored secret cannot be decrypted with the keys given") from None
        if (tenant, row) != (str(tenant_id), str(row_id)):
            raise ValueError("the stored secret belongs to another row")
        return str(plain)
