"""When a previous signing key was first seen, so that no restart lengthens its quarter of an hour.

It stands in the audit log, once for each key, by a name that the key makes and that does not lead back to it.
"""

import hmac
from dataclasses import replace
from datetime import datetime

from chatbot.db.sessions import Database, PlatformSession
from chatbot.identity.audit import repository
from chatbot.identity.audit.chain import PLATFORM
from chatbot.identity.audit.repository import Sought
from chatbot.identity.audit.service import Entry, record
from chatbot.identity.tokens import ROTATION_OVERLAP, TokenKeys

_ACTION = "retire_signing_key"
_PURPOSE = b"xin-previous-key"


async def until_first_seen(database: Database, keys: TokenKeys) -> TokenKeys:
    """Return the keys, the previous ones good for a quarter of an hour since any process of ours first had them.

    One that was never seen before is noted, as seen now.
    """
    if not (keys.admin_previous or keys.embed_previous):
        return keys
    async with database.platform() as session:
        return replace(
            keys,
            previous_until=await _until(session, "admin_jwt_secret", keys.admin_previous),
            embed_previous_until=await _until(session, "embed_jwt_secret", keys.embed_previous),
        )


async def _until(session: PlatformSession, name: str, key: str | None) -> datetime | None:
    if key is None:
        return None
    await repository.lock_head(session, PLATFORM)  # of processes that start together one notes it
    target = f"{name}:{hmac.digest(key.encode(), _PURPOSE, 'sha256').hex()[:32]}"
    wanted = Sought(action=_ACTION, target=target)
    if not (noted := await repository.page(session, PLATFORM, wanted, before=None, limit=1)):
        await record(session, Entry("platform", _ACTION, target))
        noted = await repository.page(session, PLATFORM, wanted, before=None, limit=1)
    return noted[0].link.occurred_at + ROTATION_OVERLAP
