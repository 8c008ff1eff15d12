"""Each process opens the parts that it works with, and no others."""

import subprocess
import sys

import pytest
from sqlalchemy import text

from chatbot.apps.core_runtime import CoreRuntime, open_core
from chatbot.apps.runtime import open_knowledge, open_runtime
from chatbot.core.settings import Settings
from tests.conftest import TEST_KEYS

_LISTENING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query ILIKE 'LISTEN %'"


async def _listening(runtime: CoreRuntime) -> int:
    async with runtime.database.platform() as session:
        return int((await session.execute(text(_LISTENING))).scalar_one())


async def test_only_who_tells_live_clients_listens_to_the_bus(database_url: str, settings: Settings) -> None:
    async with open_core(settings, database_url) as core:
        assert await _listening(core) == 0
    async with open_knowledge(settings, database_url) as knowledge:
        assert await _listening(knowledge) == 0
        assert knowledge.retriever.embedders
    async with open_runtime(settings, database_url, TEST_KEYS) as runtime:
        assert await _listening(runtime) == 1


@pytest.mark.parametrize("process", ["automation_worker", "bot_manager", "gateway"])
def test_a_process_without_retrieval_loads_no_numerics(process: str) -> None:
    asked = (
        "import sys; {}; print(*(m for m in ('numpy', 'tokenizers', 'onnxruntime', 'kreuzberg') if m in sys.modules))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", asked.format(f"import chatbot.apps.{process}")],
        check=True, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert loaded.stdout.split() == []
