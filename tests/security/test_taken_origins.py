"""A page of somebody else's shows no bot of ours: also not by a channel that is brought back after it was taken."""

import httpx
import pytest

from tests.conftest import TenantRows, bearer

PAGE = "https://shop.example.com"


async def ask(client: httpx.AsyncClient, tenant: TenantRows, method: str, path: str, **body: object) -> httpx.Response:
    whole = {"method": method, "url": path.format(id=tenant.channel_id), "headers": bearer()}
    return await client.request(**whole, **({"json": body} if body else {}))


@pytest.mark.parametrize("meanwhile", [True, False])
async def test_a_channel_comes_back_unless_its_page_was_taken(
    client: httpx.AsyncClient, tenant: TenantRows, other_tenant: TenantRows, *, meanwhile: bool
) -> None:
    page = f"{PAGE}:{8443 + meanwhile}"
    took = await ask(client, tenant, "PATCH", "/admin/bots/{id}", allowed_origins=[page])
    assert took.status_code == 200, took.text
    squatting = await ask(client, other_tenant, "PATCH", "/admin/bots/{id}", allowed_origins=[page])
    assert (squatting.status_code, "tenant" in squatting.json()["detail"]) == (409, False)
    assert (await ask(client, tenant, "DELETE", "/admin/channels/{id}")).status_code == 204
    if meanwhile:
        assert (await ask(client, other_tenant, "PATCH", "/admin/bots/{id}", allowed_origins=[page])).status_code == 200
    back = await ask(client, tenant, "POST", "/admin/channels/{id}/restore")
    assert back.status_code == (409 if meanwhile else 200), back.text
    if not meanwhile:
        return
    assert back.json()["detail"].startswith(f"allowed_origins: {page} is taken")
    assert (await ask(client, tenant, "GET", "/admin/channels/{id}")).status_code == 404, "it is still gone"
    assert (await ask(client, other_tenant, "PATCH", "/admin/bots/{id}", allowed_origins=[])).status_code == 200
    assert (await ask(client, tenant, "POST", "/admin/channels/{id}/restore")).status_code == 200
