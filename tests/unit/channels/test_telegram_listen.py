"""Long polling against a Bot API on this machine, with the pauses made short."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from chatbot.channels.contract import Link, Listener
from chatbot.channels.errors import ProviderRefused
from chatbot.channels.events import InboundEvent, Message, Unsupported
from chatbot.channels.providers.telegram import BALE, TELEGRAM, listen
from chatbot.core.safe_http import OutgoingFailed, SafeHttp
from tests.unit.channels.telegram_peer import HOOK, Answer, Answering, Peer, account, bot_api, done, failed

HTTP_HOSTS = frozenset({"127.0.0.1"})
AFTER_7 = {"bot": "123456", "offset": 8}


def update(number: int, text: str = "hi") -> dict[str, Any]:
    chat = {"id": 77, "type": "private"}
    return {"update_id": number, "message": {"message_id": number, "chat": chat, "from": {"id": 77}, "text": text}}


class Taken:
    """What the listener gave away."""

    def __init__(self) -> None:
        self.events: list[InboundEvent] = []
        self.cursors: list[Mapping[str, Any]] = []
        self.alive = 0
        self.limited = 0

    async def take(self, events: Sequence[InboundEvent], cursor: Mapping[str, Any]) -> None:
        self.events += events
        self.cursors.append(cursor)

    def count_alive(self) -> None:
        self.alive += 1

    def count_limited(self, seconds: float) -> None:
        self.limited += 1


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    async with bot_api() as found:
        yield found


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_LEAST_SECONDS", "_CONFLICT_SECONDS", "_DEFAULT_WAIT"):
        monkeypatch.setattr(listen, name, 0.01)


@asynccontextmanager
async def listening(
    peer: Peer, cursor: Mapping[str, Any] | None = None, *, bale: bool = False, **more: Any
) -> AsyncIterator[tuple[Taken, asyncio.Task[None]]]:
    """A listener that runs beside the test."""
    taken, provider = Taken(), BALE if bale else TELEGRAM
    assert isinstance(provider, Listener)
    async with SafeHttp(allow_private_hosts=HTTP_HOSTS) as http:
        link = Link(taken.take, taken.count_alive, http, taken.count_limited)
        bot = account(more.pop("url", peer.url), bale=bale, mode="polling", **more)
        task = asyncio.create_task(provider.listen(bot, cursor or {}, link))
        try:
            yield taken, task
        finally:
            task.cancel()
            await asyncio.wait([task])


def updates(*batches: list[dict[str, Any]]) -> list[Answer | Answering]:
    return [*(done(batch) for batch in batches), done([])]


async def test_updates_are_stored_before_the_next_are_asked_for(peer: Peer) -> None:
    peer.answers["getUpdates"] = updates([update(5), update(6)], [update(7)])
    async with listening(peer) as (taken, _):
        await peer.until("getUpdates", 4)
    assert [event.id for event in taken.events] == ["5", "6", "7"]
    assert taken.cursors == [{"bot": "123456", "offset": 7}, AFTER_7]
    assert [body.get("offset") for body in peer.bodies("getUpdates")][:4] == [None, 7, 8, 8]
    assert "message_reaction" in peer.bodies("getUpdates")[0]["allowed_updates"]
    assert taken.alive >= 3


async def test_the_cursor_of_another_bot_is_not_followed(peer: Peer) -> None:
    async with listening(peer, AFTER_7):
        await peer.until("getUpdates")
    assert peer.bodies("getUpdates")[0]["offset"] == 8
    async with listening(peer, {"bot": "999", "offset": 10**9}):
        await peer.until("getUpdates", 2)
    assert "offset" not in peer.bodies("getUpdates")[-1]


async def test_what_is_not_stored_is_asked_for_again(peer: Peer) -> None:
    peer.answers["getUpdates"] = updates([update(5)])

    async def full(events: Sequence[InboundEvent], cursor: Mapping[str, Any]) -> None:
        raise RuntimeError("the disk is full")

    async with SafeHttp(allow_private_hosts=HTTP_HOSTS) as http:
        with pytest.raises(RuntimeError, match="disk"):
            await TELEGRAM.listen(account(peer.url, mode="polling"), {}, Link(full, lambda: None, http))
    assert len(peer.asked) == 1


async def test_an_unreadable_update_is_kept_and_passed(peer: Peer) -> None:
    peer.answers["getUpdates"] = updates([{"update_id": 5, "message": "x"}, update(6)])
    async with listening(peer) as (taken, _):
        await peer.until("getUpdates", 2)
    assert [event.content for event in taken.events] == [Unsupported("unreadable"), Message(text="hi")]
    assert taken.events[0].raw == {"update_id": 5, "message": "x"}


@pytest.mark.parametrize("result", [{"a": 1}, None, ["x"], [{"message": {}}]])
async def test_an_odd_answer_ends_it(peer: Peer, result: Any) -> None:
    peer.answers["getUpdates"] = done(result)
    async with listening(peer) as (_, task):
        with pytest.raises(OutgoingFailed):
            await asyncio.wait_for(task, 60)


async def test_pressed_buttons_stop_waiting_once_stored(peer: Peer) -> None:
    query = {"id": "q1", "from": {"id": 77, "first_name": "Sara"}, "data": "y"}
    peer.answers["getUpdates"] = updates([{"update_id": 5, "callback_query": query}])
    peer.answers["answerCallbackQuery"] = failed(400, "Bad Request: query is too old")
    async with listening(peer) as (taken, _):
        await peer.until("getUpdates", 2)
    assert peer.bodies("answerCallbackQuery") == [{"callback_query_id": "q1"}]
    assert len(taken.events) == 1


async def test_a_button_whose_answer_fails_stops_no_bot(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    query = {"id": "q1", "from": {"id": 77, "first_name": "Sara"}, "data": "y"}
    peer.answers["getUpdates"] = [done([{"update_id": 5, "callback_query": query}]), done([update(6)]), done([])]

    async def hang(body: Mapping[str, Any]) -> None:
        raise OutgoingFailed("The provider does not answer.")

    async def asked(bot: Any, method: str, *given: Any, **more: Any) -> Any:
        return await (hang({}) if method == "answerCallbackQuery" else call(bot, method, *given, **more))

    call = listen.call
    monkeypatch.setattr(listen, "call", asked)
    async with listening(peer) as (taken, task):
        await peer.until("getUpdates", 3)
        assert not task.done()
    assert len(taken.events) == 2


@pytest.mark.parametrize("code", [401, 404])
async def test_a_revoked_token_is_final(peer: Peer, code: int) -> None:
    peer.answers["getUpdates"] = failed(code, "Unauthorized")
    async with listening(peer) as (_, task):
        with pytest.raises(ProviderRefused, match="does not take the token any more: Unauthorized"):
            await asyncio.wait_for(task, 60)


async def test_too_many_requests_are_waited_for_and_counted(peer: Peer) -> None:
    limited = failed(429, "Too Many Requests", retry_after=0.02)
    peer.answers["getUpdates"] = [limited, limited, done([update(5)]), done([])]
    async with listening(peer) as (taken, _):
        await peer.until("getUpdates", 4)
    assert (taken.limited, len(taken.events)) == (2, 1)


async def test_a_failing_provider_is_left_to_the_manager(peer: Peer) -> None:
    peer.answers["getUpdates"] = failed(502, "Bad Gateway")
    async with listening(peer) as (_, task):
        with pytest.raises(OutgoingFailed, match="Bad Gateway"):
            await asyncio.wait_for(task, 60)


CONFLICT = failed(409, "Conflict: can't use getUpdates method while webhook is active")


async def test_our_own_webhook_is_taken_away(peer: Peer) -> None:
    peer.answers["getUpdates"] = [CONFLICT, done([update(5)]), done([])]
    peer.answers["getWebhookInfo"] = done({"url": HOOK})
    async with listening(peer) as (taken, _):
        await peer.until("getUpdates", 3)
    assert peer.bodies("deleteWebhook") == [{}]
    assert len(taken.events) == 1


@pytest.mark.parametrize("ours", ["", HOOK])
async def test_another_systems_webhook_is_left_alone(peer: Peer, ours: str) -> None:
    peer.answers["getUpdates"] = CONFLICT
    peer.answers["getWebhookInfo"] = done({"url": "https://other.example/hook/their-secret"})
    async with listening(peer, webhook_url=ours) as (_, task):
        with pytest.raises(ProviderRefused, match="webhook of another system") as refused:
            await asyncio.wait_for(task, 60)
    assert "their-secret" not in str(refused.value)
    assert peer.bodies("deleteWebhook") == []


async def test_another_poller_is_outwaited_or_named(peer: Peer) -> None:
    other = failed(409, "Conflict: terminated by other getUpdates request")
    peer.answers["getWebhookInfo"] = done({"url": ""})
    peer.answers["getUpdates"] = [other, other, done([update(5)]), done([])]
    async with listening(peer) as (taken, _):
        await peer.until("getUpdates", 4)
    assert len(taken.events) == 1
    peer.answers["getUpdates"] = other
    async with listening(peer) as (_, task):
        with pytest.raises(ProviderRefused, match="Another program polls"):
            await asyncio.wait_for(task, 60)


async def test_bale_is_not_asked_for_kinds(peer: Peer) -> None:
    async with listening(peer, bale=True):
        await peer.until("getUpdates")
    assert peer.bodies("getUpdates")[0] == {"timeout": 0, "limit": 100}
