"""WhatsApp's adapter against Prism, which checks every call against Meta's own OpenAPI file.

Prism knows only what that file says: reading receipts, links and scoped ids as recipients are missing in it, and its
media by link fail its own schema. Its paths of one id are all alike, so that Prism takes the number's settings for a
business profile. Those are tested against our own server.
"""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from chatbot.channels.contract import Call, Permanent, Sent
from chatbot.channels.errors import ProviderRefused
from chatbot.channels.events import Message
from chatbot.channels.outgoing import Button, Outgoing
from chatbot.channels.providers.meta import WHATSAPP
from chatbot.core.safe_http import Fetched, SafeHttp
from tests.unit.channels.meta_peer import said, signed, whatsapp
from tests.unit.channels.peer import DELIVERY


class Preferring(SafeHttp):
    """The real client, which asks Prism for a certain one of the answers that the file describes."""

    prefer = ""

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        max_bytes: int = 1_000_000,
    ) -> Fetched:
        given = {**(headers or {}), **({"Prefer": self.prefer} if self.prefer else {})}
        return await super().request(method, url, headers=given, body=body, max_bytes=max_bytes)


@pytest.fixture
def meta(prism: Callable[[Path], str], shared_dir: Path) -> str:
    return prism(shared_dir / "channels" / "openapi" / "meta_business-messaging-api_v23.0.yaml")


@pytest.fixture
async def http() -> AsyncIterator[Preferring]:
    async with Preferring(allow_private_hosts=frozenset({"127.0.0.1"})) as client:
        yield client


@pytest.mark.parametrize("count", [0, 1, 3, 4, 10, 11])
async def test_meta_takes_a_reply_with_any_number_of_choices(meta: str, http: Preferring, count: int) -> None:
    account = whatsapp(api_url=meta)
    payload = json.dumps(said({"type": "text", "text": {"body": "سلام"}})).encode()
    [event] = WHATSAPP.parse(account, signed(payload))
    assert isinstance(event.content, Message)
    buttons = tuple(Button(f"گزینهٔ {n} با نامی بلند و بلندتر", f"id-{n}") for n in range(count))
    buttons = tuple(Button(f"{n} {button.title}", button.id) for n, button in enumerate(buttons))
    reply = Outgoing(event.thread, "پاسخ: **آری**. " * 400, buttons=buttons, context=event.context)
    outcomes = [
        await WHATSAPP.send(account, call, http, delivery_id=DELIVERY) for call in WHATSAPP.render(account, reply)
    ]
    assert len(outcomes) >= 2
    assert all(isinstance(outcome, Sent) and (outcome.message_id or "").startswith("wamid.") for outcome in outcomes)


async def test_a_body_that_meta_does_not_know_is_a_dead_letter(meta: str, http: Preferring) -> None:
    call = Call("messages", {"messaging_product": "whatsapp", "to": "98912", "type": "text"})
    outcome = await WHATSAPP.send(whatsapp(api_url=meta), call, http, delivery_id=DELIVERY)
    assert outcome == Permanent("Meta answered 422 without a reason.")


async def test_a_number_is_looked_at_and_registered(meta: str, http: Preferring) -> None:
    account = replace(whatsapp(api_url=meta, waba_id="102290129340398"), webhook_url="")
    await WHATSAPP.register(account, http)
    found = {finding.name: finding.ok for finding in await WHATSAPP.check(account, http)}
    assert found["token"]
    assert found["subscription"]


@pytest.mark.parametrize("code", [400, 401, 403, 429, 500])
async def test_every_error_that_meta_describes_is_told_in_words(meta: str, http: Preferring, code: int) -> None:
    http.prefer = f"code={code}"
    account = whatsapp(api_url=meta)
    [finding] = await WHATSAPP.check(account, http)
    assert not finding.ok
    assert "(code " in finding.words
    with pytest.raises(ProviderRefused, match=r"\(code "):
        await WHATSAPP.register(account, http)
