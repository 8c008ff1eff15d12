"""Ingestion workers killed with -9 again and again: no job lost, no passage twice, taken over within a minute."""

import json
import os

import pytest

from bench.kill_ingestion import torture
from chatbot.apps.runtime import Runtime

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(3600),
    pytest.mark.skipif("XIN_TEST_KILLS" not in os.environ, reason="takes half an hour: `make test-faults`"),
]

_JOBS, _KILLS, _SECTIONS = 1000, 50, 20


async def test_nothing_is_lost_or_doubled(
    runtime: Runtime, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = await torture(runtime, database_url, _JOBS, _SECTIONS, _KILLS)
    with capsys.disabled():
        print(f"\n{json.dumps(found)}")
    assert found["lost_jobs"] == found["doubled"] == found["missing"] == found["statistics_off_by"] == 0
    assert found["longest_takeover_s"] <= 60
