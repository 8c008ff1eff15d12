"""Identifiers: UUIDv7, so that primary keys sort by creation time."""

import hashlib
import os
import time
from datetime import datetime
from uuid import UUID


def new_id() -> UUID:
    """Return a UUIDv7 (RFC 9562, section 5.7): 48 bits of Unix milliseconds, then random bits.

    Time-ordered keys keep B-tree inserts on the rightmost page.
    """
    milliseconds = time.time_ns() // 1_000_000
    return _of_version(7, (milliseconds << 80) | int.from_bytes(os.urandom(10), "big"))


def id_of_part(whole: UUID, *place: int) -> UUID:
    """Return the id of what has one place within something, always the same: whoever writes it again writes over it.

    A UUIDv8 (RFC 9562, section 5.8): the time of the whole's id, so that parts lie together in an index, then bits of
    a hash of the whole and the place.
    """
    told = hashlib.sha256(repr((whole.hex, *place)).encode()).digest()
    return _of_version(8, (whole.int >> 80 << 80) | int.from_bytes(told[:10], "big"))


def _of_version(version: int, value: int) -> UUID:
    value = (value & ~(0xF << 76)) | (version << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return UUID(int=value)


def least_id_at(moment: datetime) -> UUID:
    """Return the smallest UUIDv7 of a moment: rows made since have greater ids, so the primary key finds them."""
    milliseconds = int(moment.timestamp() * 1000)
    return UUID(int=(milliseconds << 80) | (0x7 << 76) | (0x2 << 62))
