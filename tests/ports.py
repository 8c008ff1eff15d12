"""Ports of this machine that nothing listens on."""

import itertools
import os
import socket
from contextlib import closing

_FROM, _TO = 15_000, 32_000
"""Below those that the system gives away by itself: what is free here is taken by no client and no other server."""

_tried = itertools.count(os.getpid() * 997)
"""Test processes that run side by side begin far from one another, and none gives the same port twice."""


def free_port() -> int:
    """Return a port that nothing listens on."""
    for number in itertools.islice(_tried, _TO - _FROM):
        port = _FROM + number % (_TO - _FROM)
        with closing(socket.socket()) as held:
            try:
                held.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise AssertionError("no port is free")
