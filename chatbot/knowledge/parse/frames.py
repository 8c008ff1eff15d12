"""Messages between the platform and its parsing child: a length, a JSON head, then raw bytes.

Layout: 4 bytes head length, 8 bytes body length (big-endian), head, body.
"""

from __future__ import annotations

import json
import struct
from typing import Any, BinaryIO

LENGTHS = struct.Struct(">IQ")
MAX_HEAD = 64 * 1024


def encode(head: dict[str, Any], body_size: int) -> bytes:
    """The lengths and the head; the caller writes the body after it."""
    payload = json.dumps(head).encode()
    if len(payload) > MAX_HEAD:
        raise ValueError(f"a message head has {len(payload)} bytes, at most {MAX_HEAD} are allowed")
    return LENGTHS.pack(len(payload), body_size) + payload


def read_head(stream: BinaryIO) -> tuple[dict[str, Any], int] | None:
    """The next head and the size of its body; None at the end of the stream."""
    lengths = stream.read(LENGTHS.size)
    if len(lengths) < LENGTHS.size:
        return None
    head_size, body_size = LENGTHS.unpack(lengths)
    if head_size > MAX_HEAD:
        raise ValueError(f"a message head claims {head_size} bytes")
    head: dict[str, Any] = json.loads(stream.read(head_size))
    return head, body_size
