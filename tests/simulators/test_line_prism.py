"""The LINE adapter against Prism on LINE's own OpenAPI file: every request that we make is checked by their schema."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from chatbot.channels.contract import Call, Permanent, Sent
from chatbot.channels.events import Media
from chatbot.channels.outgoing import Button, Outgoing, OutgoingMedia
from chatbot.channels.providers.line import Line, LineCredentials
from chatbot.core.ids import new_id
from chatbot.core.safe_http import SafeHttp
from tests.simulators.conftest import Prism
from tests.unit.channels.peer import account

AT = 1_700_000_000.0
USER = "U206d25c2ea6bd87c17655609a1c37cb8"
RICH = Outgoing(
    USER, "**Sure?** " + "Words. " * 2000, (Button("Yes", "yes"), Button("Site", url="https://example.com")),
    (OutgoingMedia("image", "https://example.com/a.png"),), context={"reply_token": "nHuyWiB7yP5", "reply_at": AT},
)  # fmt: skip


@pytest.fixture
def here(shared_dir: Path, prism: Prism) -> Any:
    base = prism(shared_dir / "channels" / "openapi" / "line_messaging-api.yml")
    given = LineCredentials(channel_secret="s", channel_access_token="t", api_url=base, data_url=base)
    return account(given, webhook_url="https://gw.example.com/webhooks/line/1")


@pytest.fixture
async def http() -> AsyncIterator[SafeHttp]:
    async with SafeHttp(allow_private_hosts=frozenset({"127.0.0.1"})) as opened:
        yield opened


@pytest.mark.parametrize("age", [10, 60])
async def test_replies_and_pushes_are_as_line_wants_them(here: Any, http: SafeHttp, age: int) -> None:
    line = Line(clock=lambda: datetime.fromtimestamp(AT + age, UTC))
    calls = line.render(here, RICH)
    assert len(calls[0].body["messages"]) == 4
    for call in calls:
        outcome = await line.send(here, call, http, delivery_id=new_id())
        assert isinstance(outcome, Sent)
        assert outcome.message_id


async def test_a_wrong_body_is_refused_for_good(here: Any, http: SafeHttp) -> None:
    call = Call("message", {"to": USER, "messages": []})
    assert isinstance(await Line().send(here, call, http, delivery_id=new_id()), Permanent)


async def test_the_other_calls(here: Any, http: SafeHttp) -> None:
    line = Line()
    await line.register(here, http)
    await line.typing(here, USER, {}, http)
    found = {finding.name: finding for finding in await line.check(here, http)}
    assert list(found) == ["token", "webhook", "webhook_test", "quota"]
    assert found["token"].ok
    assert "https://example.com/test" in found["webhook"].words
    assert found["webhook_test"].ok
    assert isinstance(await line.download(here, Media("image", "354718"), http, max_bytes=10_000), bytes)
