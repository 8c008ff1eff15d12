"""Agents who are gone: taken for gone when nothing is heard of them, their conversations given back to the queue.

Those who may not answer any more are gone at once: a lowered role, a membership that ended, an account shut or deleted,
a program's key revoked or past its end without a successor.
"""

from datetime import timedelta
from functools import partial

from chatbot.core.clock import utcnow
from chatbot.core.errors import NotFound
from chatbot.core.logging import get_logger
from chatbot.db.apart import apart
from chatbot.db.sessions import Database, TenantSession
from chatbot.dialogue.handoff import floor
from chatbot.dialogue.handoff.parts import Messenger
from chatbot.helpdesk.agents import repository
from chatbot.helpdesk.agents.repository import Left
from chatbot.identity.policies.service import current_policy

log = get_logger(__name__)

SILENT_SECONDS = 60.0
"""Whoever's feed says nothing for so long is gone."""


async def look_after(database: Database, messenger: Messenger | None) -> int:
    """Note who is gone, and give back what was left for longer than the tenant's policy allows; return how many."""
    async with database.platform() as platform:
        await repository.miss_silent(platform, SILENT_SECONDS)
        left = await repository.left_behind(platform)
    returned = 0
    for one in left:
        work = partial(_look_at, database, one, messenger)
        returned += await apart(one.tenant_id, "conversations of agents who are gone", work) or 0
    if returned:
        log.info("conversations of agents who are gone wait again", conversations=returned)
    return returned


async def _look_at(database: Database, left: Left, messenger: Messenger | None) -> bool:
    async with database.tenant(left.tenant_id) as session:
        return await _give_back(session, left, messenger)


async def _give_back(session: TenantSession, left: Left, messenger: Messenger | None) -> bool:
    """Give a conversation back, unless its agent has come back or somebody else has it by now."""
    minutes = (await current_policy(session)).handoff.return_minutes
    if not left.for_good and left.since + timedelta(minutes=minutes) > utcnow():
        return False
    try:
        conversation = await floor.held(session, left.conversation_id)
    except NotFound:
        return False
    agent = conversation.assignee
    if conversation.state != "human" or agent is None or agent.id != left.agent_id:
        return False
    row = (await repository.known(session, [agent.id])).get(agent.id)
    if not left.for_good and (row is None or row.away_since is None):
        return False
    await floor.return_to_queue(session, conversation, left.since, messenger)
    return True
