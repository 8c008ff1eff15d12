"""Files encrypted under a passphrase, written and read as streams: AES-256-GCM in pieces of 64 kB.

Each piece's nonce holds its number and whether it is the last one (the STREAM construction of Hoang, Reyhanitabar,
Rogaway and Vizár, 2015), so pieces cannot be left out, reordered or cut off at the end without being noticed.
"""

import io
import os
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

MAGIC = b"XINSEAL1"
_SALT_BYTES = 16
_PIECE_BYTES = 64 * 1024
_TAG_BYTES = 16
_COUNTER_BYTES = 11


class SealedFileBroken(ValueError):
    """The passphrase is another one, or the file was changed or cut off."""


class SealingWriter(io.RawIOBase):
    """Encrypts what is written and passes it on to `sink`; `close` writes the last piece, not closing the sink."""

    def __init__(self, sink: IO[bytes], passphrase: str) -> None:
        salt = os.urandom(_SALT_BYTES)
        self._sink = sink
        self._cipher = _cipher(passphrase, salt)
        self._held = bytearray()
        self._number = 0
        sink.write(MAGIC + salt)

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, part: bytes) -> int:  # type: ignore[override]
        """Take bytes; whole pieces go on encrypted."""
        self._held += part
        while len(self._held) > _PIECE_BYTES:
            self._pass_on(bytes(self._held[:_PIECE_BYTES]), last=False)
            del self._held[:_PIECE_BYTES]
        return len(part)

    def close(self) -> None:
        """Write the last piece."""
        if not self.closed:
            self._pass_on(bytes(self._held), last=True)
        super().close()

    def _pass_on(self, piece: bytes, *, last: bool) -> None:
        self._sink.write(self._cipher.encrypt(_nonce(self._number, last=last), piece, None))
        self._number += 1


class SealedReader(io.RawIOBase):
    """Decrypts `source`; every byte it gives was proven first.

    Raises:
        SealedFileBroken: while reading.
    """

    def __init__(self, source: IO[bytes], passphrase: str) -> None:
        if source.read(len(MAGIC)) != MAGIC:
            raise SealedFileBroken("this is no sealed file")
        self._source = source
        self._cipher = _cipher(passphrase, source.read(_SALT_BYTES))
        self._next = source.read(_PIECE_BYTES + _TAG_BYTES)
        self._plain = b""
        self._number = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        """Fill a buffer; 0 at the end."""
        while not self._plain and self._next:
            self._plain = self._open_piece()
        given, self._plain = self._plain[: len(buffer)], self._plain[len(buffer) :]
        buffer[: len(given)] = given
        return len(given)

    def _open_piece(self) -> bytes:
        piece, self._next = self._next, self._source.read(_PIECE_BYTES + _TAG_BYTES)
        nonce = _nonce(self._number, last=not self._next)
        self._number += 1
        try:
            return self._cipher.decrypt(nonce, piece, None)
        except InvalidTag:
            raise SealedFileBroken("the passphrase is another one, or the file was changed or cut off") from None


def _cipher(passphrase: str, salt: bytes) -> AESGCM:
    return AESGCM(Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(passphrase.encode()))


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(_COUNTER_BYTES, "big") + bytes([last])
