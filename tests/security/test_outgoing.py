"""Every address that a tenant can set is refused when it leads inside, before anything is sent.

Pages to read are refused when they are fetched, with the reason in their job (`tests/integration/knowledge`).
"""

from typing import Any

import httpx
import pytest

from chatbot.core.settings import Settings
from tests.conftest import TenantRows, bearer

INSIDE = (
    "http://169.254.169.254/latest/meta-data/", "http://100.100.100.200/", "http://192.0.0.192/", "http://168.63.129.16/",
    "http://127.0.0.1:8000/admin/tenants", "http://[::1]/", "http://2130706433/", "http://0x7f.1/",
    "http://[::ffff:10.0.0.1]/", "http://[64:ff9b::7f00:1]/", "http://10.0.0.1/", "http://user:pw@127.0.0.1/",
    "file:///etc/passwd", "gopher://127.0.0.1/",
)  # fmt: skip


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Nothing inside is allowed."""
    return settings.model_copy(update={"xin_fetch_allow_hosts": []})


def _places(tenant: TenantRows, url: str) -> dict[str, tuple[str, dict[str, Any]]]:
    """Each place where a tenant gives an address that is kept: the call that sets it."""
    own = {"tenant_id": str(tenant.id)}
    channel = {**own, "brand_name": "Acme", "display_name": "x", "credentials": {"webhook_url": url}}
    return {
        "a channel's webhook": ("/admin/channels", {**channel, "channel_type": "webhook"}),
        "the web channel's webhook": ("/admin/channels", {**channel, "channel_type": "web"}),
        "an outgoing webhook": ("/admin/webhooks", {**own, "name": "x", "url": url, "events": ["message.received"]}),
    }


@pytest.mark.parametrize("url", INSIDE)
async def test_an_address_inside_is_refused_where_it_is_given(
    client: httpx.AsyncClient, tenant: TenantRows, url: str
) -> None:
    for place, (path, body) in _places(tenant, url).items():
        answer = await client.post(path, json=body, headers=bearer())
        assert answer.status_code == 422, f"{place}: {answer.status_code} {answer.text[:200]}"
        assert answer.json()["code"] == "invalid_input", place
