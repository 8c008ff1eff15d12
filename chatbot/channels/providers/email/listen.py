"""Listening to a mailbox: what has come since the cursor, then whatever comes."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from chatbot.channels.contract import Account, Link
from chatbot.channels.events import InboundEvent
from chatbot.channels.providers.email.credentials import EmailCredentials
from chatbot.channels.providers.email.imap import Mailbox, open_mailbox
from chatbot.channels.providers.email.mime import read_mail
from chatbot.channels.providers.email.parse import event_of
from chatbot.core.clock import utcnow
from chatbot.core.logging import get_logger

log = get_logger(__name__)

# A new IDLE each minute: servers allow half an hour, but a dead connection shows only when something is sent.
IDLE_SECONDS = 60.0
# Some servers hold back what comes between our last look and IDLE until IDLE ends, so the first ones are short.
FIRST_IDLE_SECONDS = 1.0
POLL_SECONDS = 20.0


@dataclass(slots=True)
class Place:
    """How far the mailbox is read; `day` (UTC) is when something was last taken, for when uids begin anew."""

    validity: int
    uid: int
    day: date

    def cursor(self) -> dict[str, Any]:
        """As it is stored."""
        return {"uidvalidity": self.validity, "uid": self.uid, "day": self.day.isoformat()}


async def listen(account: Account[EmailCredentials], cursor: Mapping[str, Any], link: Link) -> None:
    """Take every mail after the cursor until cancelled; each is stored with the cursor after it."""
    mailbox = await open_mailbox(account.credentials, link.http)
    try:
        place, waiting = await _begin(mailbox, cursor)
        start = place.uid
        place.uid = min(waiting, default=start + 1) - 1
        await _take_all(account, mailbox, link, place, waiting)
        place.uid = max(place.uid, start)
        await link.take((), place.cursor())
        idle = FIRST_IDLE_SECONDS / 2
        while True:
            new = await mailbox.run(mailbox.after, place.uid)
            await _take_all(account, mailbox, link, place, new)
            link.alive()
            idle = FIRST_IDLE_SECONDS if new else min(2 * idle, IDLE_SECONDS)
            if mailbox.can_idle:
                await mailbox.run(mailbox.wait, idle)
            else:
                await asyncio.sleep(POLL_SECONDS)
    finally:
        mailbox.close()


async def _begin(mailbox: Mailbox, cursor: Mapping[str, Any]) -> tuple[Place, list[int]]:
    """Find the last mail that is none of our business any more, and those before it that are.

    A mailbox that is new to us is no backlog: only what lies unread since yesterday is taken. When the server counts
    its uids anew, everything since the day before the last mail is taken again; what is known is dropped by its id.
    """
    validity, following = await mailbox.run(mailbox.position)
    today = utcnow().date()
    if cursor.get("uidvalidity") == validity:
        return Place(validity, int(cursor.get("uid") or 0), today), []
    last = date.fromisoformat(str(cursor["day"])) if "day" in cursor else today
    waiting = await mailbox.run(mailbox.since, last - timedelta(days=1), unread=not cursor)
    return Place(validity, following - 1, today), waiting


async def _take_all(
    account: Account[EmailCredentials], mailbox: Mailbox, link: Link, place: Place, uids: Sequence[int]
) -> None:
    """Store each mail with the cursor after it."""
    for uid in uids:
        data = await mailbox.run(mailbox.fetch, uid)
        # None: somebody deleted it meanwhile.
        events = [] if data is None else await mailbox.run(_events, account, data)
        place.uid, place.day = uid, utcnow().date()
        await link.take(events, place.cursor())
        link.alive()


def _events(account: Account[EmailCredentials], data: bytes) -> list[InboundEvent]:
    """What a mail is; nothing for one that breaks the reading: the mailbox does not stand still behind it."""
    try:
        return [event_of(account, read_mail(data))]
    except Exception:
        log.exception("a mail could not be read and is left out", bytes=len(data))
        return []
