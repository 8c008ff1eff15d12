"""Who may chat, and for which tenant."""

from datetime import timedelta

import httpx
import jwt
import pytest
from fastapi import FastAPI, WebSocket
from starlette.testclient import TestClient

from chatbot.apps.runtime import Runtime
from chatbot.core.clock import utcnow
from chatbot.core.ids import new_id
from chatbot.core.settings import Settings
from chatbot.db.models import Tenant
from chatbot.identity.access.service import Access
from chatbot.identity.demo import DEMO_TENANT_ID
from chatbot.identity.dependencies import ChatCaller, MaybeChatCaller
from chatbot.identity.subject import Role
from chatbot.identity.tokens import issue_embed_token
from tests.conftest import GATEWAY_TOKEN, TenantRows, bearer

SHOP = "https://shop.example"


@pytest.fixture(autouse=True)
def _routes(app: FastAPI) -> None:
    """Two routes that say who is calling."""

    @app.get("/who")
    async def who(caller: ChatCaller) -> dict[str, str]:
        return {"name": caller.name, "tenant_id": str(caller.tenant_id), "role": caller.role}

    @app.get("/maybe")
    async def maybe(caller: MaybeChatCaller) -> dict[str, str | None]:
        return {"name": caller.name if caller else None}


def _embed(runtime: Runtime, tenant: TenantRows, origin: str | None = SHOP) -> dict[str, str]:
    token, _ = issue_embed_token(
        runtime.keys, tenant_id=tenant.id, brand_id=tenant.brand_id, visitor={"id": "v"}, origin=origin
    )
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize(
    ("bound_to", "sent", "status"),
    [(SHOP, SHOP, 200), (SHOP, None, 200), (None, SHOP, 403), (SHOP, "https://evil.example", 401), (SHOP, "null", 401)],
)
async def test_an_embed_token_is_bound_to_its_origin(
    client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows, bound_to: str | None, sent: str | None, status: int
) -> None:
    headers = _embed(runtime, tenant, bound_to) | ({"Origin": sent} if sent else {})
    answer = await client.get("/who", headers=headers)
    assert answer.status_code == status
    if status == 200:
        assert answer.json() == {"name": "visitor:v", "tenant_id": str(tenant.id), "role": "visitor"}


async def test_a_visitor_chooses_no_other_tenant(
    client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows, other_tenant: TenantRows
) -> None:
    for asked in (other_tenant.id, new_id()):
        headers = _embed(runtime, tenant) | {"X-Tenant-Id": str(asked)}
        assert (await client.get("/who", headers=headers)).status_code == 404


async def test_a_visitor_is_no_admin(client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows) -> None:
    headers = _embed(runtime, tenant)
    assert (await client.get(f"/admin/tenants/{tenant.id}", headers=headers)).status_code == 401


async def test_an_old_embed_token_is_401(client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows) -> None:
    token = _embed(runtime, tenant)["Authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] <= 600
    claims["exp"] = utcnow() - timedelta(seconds=1)
    old = jwt.encode(claims, runtime.keys.embed, algorithm="HS256")
    assert (await client.get("/who", headers={"Authorization": f"Bearer {old}"})).status_code == 401


async def test_the_gateway_token_speaks_for_the_tenant_it_names(
    client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows
) -> None:
    gateway = {"Authorization": f"Bearer {GATEWAY_TOKEN}"}
    named = await client.get("/who", headers=gateway | {"X-Tenant-Id": str(tenant.id)})
    assert named.json() == {"name": "gateway", "tenant_id": str(tenant.id), "role": "visitor"}
    assert (await client.get("/who", headers=gateway | {"X-Tenant-Id": str(new_id())})).status_code == 404
    assert (await client.get("/who", headers=gateway | {"X-Tenant-Id": "acme"})).status_code == 422
    assert (await client.get("/who", headers=gateway)).status_code == 404  # no demo tenant in this database
    async with runtime.database.platform() as session:
        session.add(Tenant(id=DEMO_TENANT_ID, name="Demo"))
    assert (await client.get("/who", headers=gateway)).json()["tenant_id"] == str(DEMO_TENANT_ID)
    assert (await client.get("/admin/tenants", headers=gateway)).status_code == 401


async def test_an_admin_chats_in_a_tenant_of_its_own(
    client: httpx.AsyncClient, runtime: Runtime, tenant: TenantRows, other_tenant: TenantRows
) -> None:
    admin = bearer(Role.AGENT, tenant.id)
    assert (await client.get("/who", headers=admin)).json()["tenant_id"] == str(tenant.id)
    assert (await client.get("/who", headers=admin | {"X-Tenant-Id": str(other_tenant.id)})).status_code == 404
    platform = bearer()
    assert (await client.get("/who", headers=platform)).status_code == 422
    chosen = await client.get("/who", headers=platform | {"X-Tenant-Id": str(other_tenant.id)})
    assert chosen.json()["tenant_id"] == str(other_tenant.id)


async def test_without_a_credential(client: httpx.AsyncClient) -> None:
    assert (await client.get("/who")).status_code == 401
    assert (await client.get("/maybe")).json() == {"name": None}
    assert (await client.get("/maybe", headers={"Authorization": "Bearer nonsense"})).status_code == 401


async def test_a_deleted_tenant_ends_its_credentials(runtime: Runtime, tenant: TenantRows) -> None:
    token = _embed(runtime, tenant)["Authorization"].removeprefix("Bearer ")
    async with runtime.database.platform() as session:
        row = await session.get(Tenant, tenant.id)
        assert row
        row.deleted_at = utcnow()
    with pytest.raises(Exception, match="unknown, expired or revoked"):
        await Access(runtime.database, runtime.keys).chat(token, tenant_id=None, origin=None)


def test_sockets_use_the_same_dependencies() -> None:
    app = FastAPI()

    @app.websocket("/ws")
    async def socket(websocket: WebSocket, caller: MaybeChatCaller) -> None:
        await websocket.accept()
        await websocket.send_json({"anonymous": caller is None})

    app.state.settings = Settings()
    app.state.database = app.state.keys = None
    with TestClient(app).websocket_connect("/ws") as opened:
        assert opened.receive_json() == {"anonymous": True}
