"""What has become too old, a batch at a time: the same condition counts and removes.

Each statement narrows to its tenant; none waits for a row that somebody else holds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from chatbot.db.sessions import PlatformSession, fetch
from chatbot.ops.erasure.holdings_repository import PAST_EVENT, Scope, files_of, remove_aged


@dataclass(frozen=True, slots=True)
class Batch:
    """What one batch removed: how many by what it is told as, and the stored files that nobody owns any more."""

    removed: Mapping[str, int]
    files: tuple[str, ...] = ()
    conversations: tuple[UUID, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing was left to remove."""
        return not any(self.removed.values())


@dataclass(frozen=True, slots=True)
class Aged:
    """Rows of a table that go by their own age; `scrub` sets what is not wanted any more in place of deleting."""

    table: LiteralString
    where: LiteralString
    told: LiteralString = ""
    scrub: LiteralString | None = None

    @property
    def name(self) -> str:
        """Under what name they are told."""
        return self.told or self.table

    def count(self) -> LiteralString:
        """Return the statement that counts all there are."""
        return f"SELECT count(*) FROM {self.table} WHERE tenant_id = %(tenant_id)s AND {self.where}"  # noqa: S608

    def change(self) -> LiteralString:
        """Return the statement that removes one batch, and counts it."""
        verb = f"UPDATE {self.table} SET {self.scrub}" if self.scrub else f"DELETE FROM {self.table}"  # noqa: S608
        return f"""
WITH old AS (SELECT tenant_id, id FROM {self.table} WHERE tenant_id = %(tenant_id)s AND {self.where}
             LIMIT %(limit)s FOR UPDATE SKIP LOCKED),
     gone AS ({verb} WHERE (tenant_id, id) IN (SELECT tenant_id, id FROM old) RETURNING 1)
SELECT count(*) FROM gone"""  # noqa: S608 - constants only


LOGS: tuple[Aged, ...] = (
    Aged("events", "occurred_at < %(cutoff)s"),
    # What a reply needs of its thread stays while there is a conversation; what the provider said goes.
    Aged(
        "inbound_events",
        "received_at < %(cutoff)s AND conversation_id IS NULL AND kind <> 'past'",
        scrub=PAST_EVENT,
    ),
    Aged(
        "inbound_events",
        "received_at < %(cutoff)s - interval '180 days' AND kind = 'past'",
        told="inbound_ids",
    ),
    Aged(
        "inbound_events",
        "received_at < %(cutoff)s AND conversation_id IS NOT NULL AND payload <> '{}'",
        told="inbound_payloads",
        scrub="payload = '{}'",
    ),
    Aged("deliveries", "status IN ('sent', 'dead') AND coalesce(finished_at, created_at) < %(cutoff)s"),
    Aged("turn_traces", "created_at < %(cutoff)s"),
    Aged(
        "automation_jobs",
        "status IN ('succeeded', 'failed', 'cancelled') AND coalesce(finished_at, created_at) < %(cutoff)s",
    ),
)
"""Of the kind `logs`."""

VISITORS = Aged(
    "visitors",
    "updated_at < %(cutoff)s AND NOT EXISTS (SELECT FROM conversations c "
    "WHERE c.tenant_id = visitors.tenant_id AND c.owner = visitors.subject)",
)
"""What they said of themselves goes with their last conversation: of the kind `transcripts`."""

GAPS = Aged("knowledge_gaps", "created_at < %(cutoff)s")
"""Of the kind `tickets`: both are work that somebody has to do."""

EMPTY_GROUPS = Aged(
    "gap_groups",
    "last_asked_at < %(cutoff)s AND NOT EXISTS (SELECT FROM knowledge_gaps k "
    "WHERE k.tenant_id = gap_groups.tenant_id AND k.group_id = gap_groups.id)",
)

_OLD_FILES = "status = 'stored' AND blob_key IS NOT NULL AND created_at < %(cutoff)s"
_OLD_TICKETS = "status IN ('solved', 'closed') AND updated_at < %(cutoff)s"
_OLD_TALKS = "state IN ('bot', 'closed') AND updated_at < %(cutoff)s"
_COMMENT_FILES = "files <> '[]' AND created_at < %(cutoff)s"

_EXPIRE = f"""
WITH old AS (SELECT tenant_id, id, blob_key FROM attachments WHERE tenant_id = %(tenant_id)s AND {_OLD_FILES}
             LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
UPDATE attachments a SET status = 'refused', reason = 'expired', blob_key = NULL
FROM old WHERE a.tenant_id = old.tenant_id AND a.id = old.id RETURNING old.blob_key
"""  # noqa: S608 - constants only

_EXPIRE_OF_COMMENTS = f"""
WITH old AS (SELECT tenant_id, id, files FROM ticket_comments WHERE tenant_id = %(tenant_id)s AND {_COMMENT_FILES}
             LIMIT %(limit)s FOR UPDATE SKIP LOCKED),
     emptied AS (UPDATE ticket_comments c SET files = '[]' FROM old
                 WHERE c.tenant_id = old.tenant_id AND c.id = old.id RETURNING old.files)
SELECT file->>'blob_key' FROM emptied, LATERAL jsonb_array_elements(emptied.files) AS file
"""  # noqa: S608 - constants only

_COUNT_FILES = f"""
SELECT (SELECT count(*) FROM attachments WHERE tenant_id = %(tenant_id)s AND {_OLD_FILES})
     + (SELECT coalesce(sum(jsonb_array_length(files)), 0) FROM ticket_comments
        WHERE tenant_id = %(tenant_id)s AND {_COMMENT_FILES})::bigint
"""  # noqa: S608 - constants only

_TICKETS = f"""
SELECT id FROM tickets WHERE tenant_id = %(tenant_id)s AND {_OLD_TICKETS} LIMIT %(limit)s FOR UPDATE SKIP LOCKED
"""  # noqa: S608 - constants only

_COUNT_TICKETS = f"""
WITH old AS (SELECT id FROM tickets WHERE tenant_id = %(tenant_id)s AND {_OLD_TICKETS})
SELECT (SELECT count(*) FROM old),
       (SELECT count(*) FROM ticket_comments WHERE tenant_id = %(tenant_id)s AND ticket_id IN (SELECT id FROM old))
"""  # noqa: S608 - constants only

_TALKS = f"""
SELECT id FROM conversations WHERE tenant_id = %(tenant_id)s AND {_OLD_TALKS}
ORDER BY updated_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
"""  # noqa: S608 - constants only

_COUNT_TALKS = f"""
WITH old AS (SELECT id FROM conversations WHERE tenant_id = %(tenant_id)s AND {_OLD_TALKS})
SELECT (SELECT count(*) FROM old),
       (SELECT count(*) FROM messages WHERE tenant_id = %(tenant_id)s AND conversation_id IN (SELECT id FROM old))
"""  # noqa: S608 - constants only

# A question that nobody could answer is work to do, and a score a figure: both stay, with nothing to whose they were.
_CUT_OFF = """
WITH asked AS (
    UPDATE knowledge_gaps SET conversation_id = NULL, message_id = NULL
    WHERE tenant_id = %(tenant_id)s AND conversation_id = ANY(%(conversations)s::uuid[])
)
UPDATE csat_ratings SET conversation_id = NULL, comment = NULL
WHERE tenant_id = %(tenant_id)s AND conversation_id = ANY(%(conversations)s::uuid[])
"""


@dataclass(frozen=True, slots=True)
class Reach:
    """Whose rows, and older than what; `limit` is how many a batch takes."""

    tenant_id: UUID
    cutoff: datetime
    limit: int

    @property
    def values(self) -> dict[str, object]:
        """The values of a statement."""
        return {"tenant_id": self.tenant_id, "cutoff": self.cutoff, "limit": self.limit}


async def count_aged(session: PlatformSession, aged: Aged, reach: Reach) -> dict[str, int]:
    """Count rows that go by their own age."""
    return {aged.name: (await fetch(session, aged.count(), reach.values))[0][0]}


async def drop_aged(session: PlatformSession, aged: Aged, reach: Reach) -> Batch:
    """Remove a batch of rows that go by their own age."""
    return Batch({aged.name: (await fetch(session, aged.change(), reach.values))[0][0]})


async def count_files(session: PlatformSession, reach: Reach) -> dict[str, int]:
    """Count files of messages and tickets."""
    return {"files": (await fetch(session, _COUNT_FILES, reach.values))[0][0]}


async def drop_files(session: PlatformSession, reach: Reach) -> Batch:
    """Take a batch of files away from their messages and comments, which say so from then on."""
    rows = await fetch(session, _EXPIRE, reach.values) or await fetch(session, _EXPIRE_OF_COMMENTS, reach.values)
    keys = tuple(row[0] for row in rows if row[0])
    return Batch({"files": len(rows)}, keys)


async def count_tickets(session: PlatformSession, reach: Reach) -> dict[str, int]:
    """Count tickets that are done with, and their comments."""
    tickets, comments = (await fetch(session, _COUNT_TICKETS, reach.values))[0]
    return {"tickets": tickets, "ticket_comments": comments}


async def drop_tickets(session: PlatformSession, reach: Reach) -> Batch:
    """Remove a batch of tickets that are done with."""
    ids = [row[0] for row in await fetch(session, _TICKETS, reach.values)]
    scope = Scope(reach.tenant_id, tickets=ids)
    files = await files_of(session, scope)
    removed = await remove_aged(session, scope)
    return Batch({name: removed[name] for name in ("tickets", "ticket_comments")}, tuple(files))


async def count_talks(session: PlatformSession, reach: Reach) -> dict[str, int]:
    """Count conversations that nobody goes on with, and their messages."""
    conversations, messages = (await fetch(session, _COUNT_TALKS, reach.values))[0]
    return {"conversations": conversations, "messages": messages}


async def drop_talks(session: PlatformSession, reach: Reach) -> Batch:
    """Remove a batch of conversations that nobody goes on with, and all that was said in them."""
    ids = [row[0] for row in await fetch(session, _TALKS, reach.values)]
    scope = Scope(reach.tenant_id, conversations=ids)
    files = await files_of(session, scope)
    await fetch(session, _CUT_OFF, {"tenant_id": reach.tenant_id, "conversations": ids})
    removed = await remove_aged(session, scope)
    return Batch({name: removed[name] for name in ("conversations", "messages")}, tuple(files), tuple(ids))
