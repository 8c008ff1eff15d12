"""Ports of this machine that nothing listens on."""

import socket
from contextlib import closing


def free_port() -> int:
    """Return a port that nothing listens on."""
    with closing(socket.socket()) as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])
