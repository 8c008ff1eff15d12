"""Secrets: random tokens, their hashes, comparison in constant time, encryption at rest."""

import hashlib
import hmac
import json
import secrets
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


def random_secret(prefix: str = "", size: int = 32) -> str:
    """Return a URL-safe random secret of `size` bytes of entropy behind a readable prefix."""
    return prefix + secrets.token_urlsafe(size)


def random_key() -> str:
    """Return a new key for a `Vault`."""
    return Fernet.generate_key().decode()


def hash_secret(secret: str) -> str:
    """Return the SHA-256 of a high-entropy secret, hex; for look-up by hash (not for passwords)."""
    return hashlib.sha256(secret.encode()).hexdigest()


def same(left: str, right: str) -> bool:
    """Compare two secrets in constant time."""
    return hmac.compare_digest(left.encode(), right.encode())


class SealBroken(ValueError):
    """A ciphertext that is damaged, under a key that is not given, or of another row."""


class Vault:
    """Encryption at rest by MultiFernet; tenant and row are bound inside the ciphertext.

    Args:
        keys: Fernet keys, newest first; the first encrypts, all decrypt.

    Raises:
        ValueError: a key is no Fernet key (32 bytes, URL-safe base64).
    """

    def __init__(self, keys: list[str]) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys])
        self.key_ids = [hash_secret(key)[:16] for key in keys]
        self.key_id = self.key_ids[0]

    def seal(self, tenant_id: UUID, row_id: UUID, plain: str) -> bytes:
        """Encrypt a secret for one row of one tenant."""
        return self._fernet.encrypt(json.dumps([str(tenant_id), str(row_id), plain]).encode())

    def open(self, tenant_id: UUID, row_id: UUID, sealed: bytes) -> str:
        """Decrypt a secret; raises `SealBroken`."""
        try:
            tenant, row, plain = json.loads(self._fernet.decrypt(sealed))
        except InvalidToken:
            raise SealBroken("a stored secret cannot be decrypted with the keys of XIN_ENCRYPTION_KEYS") from None
        if (tenant, row) != (str(tenant_id), str(row_id)):
            raise SealBroken("a stored secret belongs to another row")
        return str(plain)
