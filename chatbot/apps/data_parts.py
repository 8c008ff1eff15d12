"""Where the data of tenants and visitors lies in a process, for erasing, retention and decommissioning."""

from chatbot.apps.core_runtime import CoreRuntime
from chatbot.apps.runtime import KnowledgeRuntime
from chatbot.ops.analytics.keeping import Keeper
from chatbot.ops.erasure.service import Places
from chatbot.ops.retention.keeping import DailyRetention
from chatbot.ops.retention.service import Retention


def data_places(runtime: CoreRuntime) -> Places:
    """Return where visitors' data may be beside the database."""
    settings = runtime.settings
    exports = (settings.folder("transcripts"), settings.folder("tickets"))
    return Places(runtime.blobs, runtime.jobs, runtime.hot_sessions, exports, settings.folder("logs"))


def daily_retention(runtime: KnowledgeRuntime, keeper: Keeper) -> DailyRetention:
    """Return what removes old things once a day."""
    return DailyRetention(
        Retention(runtime.database, runtime.settings, data_places(runtime)), keeper, runtime.retriever.store
    )
