"""The queues of the platform."""

from collections.abc import Sequence

from chatbot.automation.queueing import QUEUE as AUTOMATION_QUEUE
from chatbot.channels.queueing import DELIVERY_QUEUE, TURN_QUEUE
from chatbot.core.settings import Settings
from chatbot.jobs.stored_files import UPKEEP_QUEUE
from chatbot.ops.system.repository import QueueDepth


def all_queues(depths: Sequence[QueueDepth], settings: Settings) -> list[QueueDepth]:
    """Return every queue of ours by its name, an empty one too; nothing else is ever enqueued."""
    ours = (TURN_QUEUE, DELIVERY_QUEUE, settings.ingest_queue_name, UPKEEP_QUEUE, AUTOMATION_QUEUE)
    found = {name: QueueDepth(name) for name in ours} | {depth.name: depth for depth in depths}
    return [found[name] for name in sorted(found)]
