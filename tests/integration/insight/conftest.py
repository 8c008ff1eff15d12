"""A platform with a worker inside, and visitors who ask it."""

from typing import Any
from uuid import UUID

from chatbot.identity.tokens import issue_embed_token
from tests.conftest import TEST_KEYS
from tests.integration.ingestion.conftest import Client, idle, knowledge


async def ask(client: Client, message: str, visitor: str = "ann", **fields: Any) -> Any:
    """Ask as a visitor and return the answer."""
    tenant = client.tenant
    token, _ = issue_embed_token(
        TEST_KEYS, tenant_id=tenant.id, brand_id=tenant.brand_id, visitor={"id": visitor}, origin=None
    )
    headers = {"Authorization": f"Bearer {token}"}
    return await client.call("POST", "/v1/chat", headers=headers, json={"message": message, **fields})


async def gaps(client: Client, **params: Any) -> Any:
    """List the tenant's gaps."""
    page = await client.call("GET", "/admin/knowledge_gaps", params=params)
    return page["items"]


def ids(items: list[Any]) -> list[UUID]:
    """The ids of listed things, in their order."""
    return [UUID(item["id"]) for item in items]


__all__ = ["Client", "ask", "gaps", "idle", "ids", "knowledge"]
