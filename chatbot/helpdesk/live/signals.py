"""What holds for a moment and stands in no row: that somebody types; passed on to the feeds of the tenant."""

from collections import deque
from typing import Any
from uuid import UUID

import orjson

from chatbot.core.bus import Bus

_MOST = 100
"""Signals that wait for a slow feed; older ones are not worth telling any more."""


class Mailbox:
    """The signals that one feed has not told yet, and how to wake it."""

    def __init__(self, wake: Any) -> None:
        self._waiting: deque[dict[str, Any]] = deque(maxlen=_MOST)
        self._wake = wake

    def put(self, said: dict[str, Any]) -> None:
        """Take a signal."""
        self._waiting.append(said)
        self._wake()

    def take(self) -> list[dict[str, Any]]:
        """Give what waits."""
        found = list(self._waiting)
        self._waiting.clear()
        return found


class Signals:
    """Hears the bus for one process."""

    def __init__(self, bus: Bus) -> None:
        self._mailboxes: dict[str, set[Mailbox]] = {}
        bus.hear("xin_signal", self._heard)

    def open(self, tenant_id: UUID, mailbox: Mailbox) -> None:
        """Pass a tenant's signals on."""
        self._mailboxes.setdefault(str(tenant_id), set()).add(mailbox)

    def close(self, tenant_id: UUID, mailbox: Mailbox) -> None:
        """Pass no more on."""
        mailboxes = self._mailboxes[str(tenant_id)]
        mailboxes.discard(mailbox)
        if not mailboxes:
            del self._mailboxes[str(tenant_id)]

    def _heard(self, payload: str) -> None:
        said = orjson.loads(payload)
        for mailbox in self._mailboxes.get(said.get("tenant_id", ""), ()):
            mailbox.put(said)
