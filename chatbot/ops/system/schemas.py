"""Bodies of the system's report."""

from chatbot.core.schemas import ResponseBody, Timestamp


class PartView(ResponseBody):
    """A part that the process depends on; `words` is ok, or what it said; `ms` how long it took to say so."""

    name: str
    ok: bool
    optional: bool
    words: str
    ms: float


class QueueView(ResponseBody):
    """A queue; `waiting` are jobs that are due, `failed` those that were given up."""

    name: str
    waiting: int
    running: int
    failed: int
    oldest_seconds: float | None


class DeliveriesView(ResponseBody):
    """What is to be sent to providers, and what was given up: dead letters, to be replayed."""

    pending: int
    dead: int


class SystemView(ResponseBody):
    """The platform as the answering process sees it; memory is its own, the disk that of its data folder."""

    version: str
    started_at: Timestamp
    parts: list[PartView]
    queues: list[QueueView]
    deliveries: DeliveriesView
    database_mb: float
    memory_mb: float
    disk_free_percent: float
