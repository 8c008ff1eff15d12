"""Files that nothing refers to any more, removed by the queue: any room may have stored them.

The task itself is in `chatbot.knowledge.tasks`, whose worker has the file store; this module is apart from it because
processes that only receive messages give files back too, and hold no part of knowledge.
"""

from collections.abc import Sequence

import procrastinate

from chatbot.db.sessions import Transaction
from chatbot.jobs.app import enqueue

UPKEEP_QUEUE = "knowledge_upkeep"
DROP_FILES_TASK = "knowledge:drop_files"


async def drop_files(app: procrastinate.App, session: Transaction, keys: Sequence[str]) -> None:
    """Queue the removal of stored files; it is tried until the file store answers."""
    await enqueue(app, session, DROP_FILES_TASK, queue=UPKEEP_QUEUE, arguments={"keys": list(keys)})
