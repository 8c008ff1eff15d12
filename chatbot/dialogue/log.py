"""Reads the event log so that nothing is missed and nothing is told twice, whatever commits late.

Numbers of events are given before their transactions end: a reader that has seen 7 may find 5 afterwards. So a place in
the log is a transaction's number before which all is final (no transaction below it still runs), and the events at or
above it that were read all the same, for a reader does not wait for others' long transactions.
"""

from dataclasses import dataclass

from chatbot.core.errors import InvalidInput
from chatbot.db.sessions import TenantReader
from chatbot.dialogue.log_repository import Entry, entries_after

MAX_BEHIND = 5_000
"""Events that a reader who comes back is told one by one; one who missed more begins anew."""

_PIECE = 500
_MAX_NAMED = 40
"""Events that a place names. Past that it names none, and who resumes there may be told some twice, but misses none."""


@dataclass(frozen=True, slots=True)
class LogPlace:
    """A place in a tenant's log: all events of transactions below `floor` were read, and of the others those named."""

    floor: int
    read: frozenset[int] = frozenset()

    def __str__(self) -> str:
        named = ",".join(map(str, sorted(self.read))) if len(self.read) <= _MAX_NAMED else ""
        return f"{self.floor}+{named}"


class TooFarBehind(Exception):
    """More happened since a place than is told one by one, or it is a place in another server's log."""


def parse_place(text: str) -> LogPlace:
    """Read a place as `str()` wrote it.

    Raises:
        InvalidInput: it is none of ours.
    """
    floor, _, named = text.partition("+")
    try:
        place = LogPlace(int(floor), frozenset(map(int, named.split(","))) if named else frozenset())
    except ValueError:
        raise InvalidInput.field("Last-Event-ID", "is not an id of this stream") from None
    if not 0 <= place.floor < 2**62:
        raise InvalidInput.field("Last-Event-ID", "is not an id of this stream")
    return place


async def present(session: TenantReader) -> LogPlace:
    """Return the place behind everything that is there now."""
    horizon, _ = await entries_after(session, 2**62, 0, 1)
    _, latest = await _from(session, horizon)
    return LogPlace(horizon, frozenset(entry.id for entry in latest))


async def news(session: TenantReader, place: LogPlace) -> tuple[list[Entry], LogPlace]:
    """Return what happened since a place, in the order of transactions, and the place behind it.

    Raises:
        TooFarBehind: more than `MAX_BEHIND` events, or a place that this log has not come to: a backup was restored.
    """
    horizon, entries = await _from(session, place.floor)
    if place.floor > horizon:
        raise TooFarBehind
    new = [entry for entry in entries if entry.id not in place.read]
    kept = place.read | {entry.id for entry in new}
    above = {entry.id for entry in entries if entry.txid >= horizon}
    return new, LogPlace(max(horizon, place.floor), frozenset(kept & above))


async def _from(session: TenantReader, floor: int) -> tuple[int, list[Entry]]:
    """Read from a transaction on to the end; the horizon is that of the first piece, which is the lowest."""
    horizon, entries = await entries_after(session, floor, 0, _PIECE)
    piece = entries
    while len(piece) == _PIECE:
        if len(entries) > MAX_BEHIND:
            raise TooFarBehind
        _, piece = await entries_after(session, piece[-1].txid, piece[-1].id, _PIECE)
        entries = [*entries, *piece]
    return horizon, entries
