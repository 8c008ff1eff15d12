"""The system's report: parts, queues and room, for platform administrators alone."""

import httpx

from chatbot import __version__
from chatbot.apps.runtime import Runtime
from chatbot.core.ids import new_id
from chatbot.identity.subject import Role
from chatbot.jobs.app import enqueue
from tests.conftest import TenantRows, bearer


async def test_parts_queues_and_room_are_told(client: httpx.AsyncClient, runtime: Runtime) -> None:
    async with runtime.database.platform() as session:
        for queue, in_seconds in (("turns", None), ("turns", None), ("turns", 3600), ("elsewhere", None)):
            arguments = {"tenant_id": str(new_id())}
            await enqueue(
                runtime.jobs, session, "nobody:works", queue=queue, arguments=arguments, in_seconds=in_seconds
            )
    answer = await client.get("/admin/system", headers=bearer())
    assert answer.status_code == 200
    told = answer.json()
    assert told["version"] == __version__
    parts = {part["name"]: part for part in told["parts"]}
    assert set(parts) == {"database", "storage"}
    assert parts["database"]["ok"]
    assert parts["database"]["words"] == "ok"
    assert 0 < parts["database"]["ms"] < 60_000
    queues = {queue["name"]: queue for queue in told["queues"]}
    assert {"turns", "deliveries", "knowledge_upkeep", "elsewhere"} <= set(queues)
    assert (queues["turns"]["waiting"], queues["turns"]["running"], queues["turns"]["failed"]) == (2, 0, 0)
    assert 0 <= queues["turns"]["oldest_seconds"] < 600
    assert queues["deliveries"] == {
        "name": "deliveries", "waiting": 0, "running": 0, "failed": 0, "oldest_seconds": None,
    }  # fmt: skip
    assert told["deliveries"] == {"pending": 0, "dead": 0}
    assert told["database_mb"] > 1
    assert told["memory_mb"] > 20
    assert 0 <= told["disk_free_percent"] <= 100


async def test_nobody_else_may_look(client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows) -> None:
    for role in (Role.TENANT_ADMIN, Role.AGENT, Role.VIEWER):
        assert (await client.get("/admin/system", headers=bearer(role, tenant.id))).status_code == 403
    assert (await client.get("/admin/system")).status_code == 401
