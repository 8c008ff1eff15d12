#!/usr/bin/env python3
"""Exit 0 when an address answers 200: what `HEALTHCHECK` asks, in an image without curl."""

import sys
from http.client import HTTPException
from urllib.request import urlopen

_SECONDS = 4


def healthy(url: str) -> bool:
    """Whether the address answers 200 in time."""
    try:
        with urlopen(url, timeout=_SECONDS) as answer:  # noqa: S310 - the image's own address
            return bool(answer.status == 200)
    except (OSError, HTTPException):
        return False


if __name__ == "__main__":
    sys.exit(0 if healthy(sys.argv[1]) else 1)
