"""Slack's Web API as `emulate` serves it: what the adapter sends is there afterwards, as another program read it."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from chatbot.channels.contract import Account, Permanent, Sent
from chatbot.channels.events import Echo, Media, Message
from chatbot.channels.outgoing import Button, Draft, Outgoing
from chatbot.channels.providers.slack import SLACK
from chatbot.channels.providers.slack.credentials import SlackCredentials
from chatbot.core.ids import new_id
from chatbot.core.safe_http import OutgoingFailed, SafeHttp
from tests.simulators.conftest import BOT_TOKEN, PERSON_TOKEN, WEAK_TOKEN
from tests.unit.channels.peer import DELIVERY, account, posted


class Person:
    """Somebody at their desk, who reads and writes with a token of their own."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url = url
        self._session = session

    async def call(self, method: str, **body: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {PERSON_TOKEN}"}
        async with self._session.post(f"{self._url}/api/{method}", json=body, headers=headers) as response:
            answer: dict[str, Any] = await response.json()
        assert answer["ok"], answer
        return answer


@pytest.fixture
async def person(slack_cloud: str) -> AsyncIterator[Person]:
    async with aiohttp.ClientSession() as session:
        yield Person(slack_cloud, session)


@pytest.fixture
async def http() -> AsyncIterator[SafeHttp]:
    async with SafeHttp(allow_private_hosts=frozenset({"127.0.0.1"})) as opened:
        yield opened


def to(url: str, token: str = BOT_TOKEN) -> Account[Any]:
    return account(SlackCredentials(bot_token=token, signing_secret="s", api_url=f"{url}/api"))


async def channel_of(person: Person) -> str:
    listed = await person.call("conversations.list")
    return str(next(one["id"] for one in listed["channels"] if one["name"] == "help"))


async def test_the_token_is_known_and_whose_it_is(slack_cloud: str, http: SafeHttp) -> None:
    found = {finding.name: finding for finding in await SLACK.check(to(slack_cloud), http)}
    assert found["token"].ok
    assert "Acme" in found["token"].words
    assert all(BOT_TOKEN not in finding.words for finding in found.values())


async def test_an_answer_is_in_its_thread_with_its_buttons(slack_cloud: str, person: Person, http: SafeHttp) -> None:
    channel = await channel_of(person)
    asked = await person.call("chat.postMessage", channel=channel, text="where is my order?")
    event = {**asked["message"], "type": "message", "channel": channel}
    (read,) = SLACK.parse(to(slack_cloud), posted({"type": "event_callback", "event": event}))
    assert isinstance(read.content, Message | Echo)
    message = Outgoing(read.thread, "**On its way** <b>", buttons=(Button("Track", "track:7"),), context=read.context)
    for call in SLACK.render(to(slack_cloud), message):
        outcome = await SLACK.send(to(slack_cloud), call, http, delivery_id=new_id())
        assert isinstance(outcome, Sent)
    replies = (await person.call("conversations.replies", channel=channel, ts=asked["ts"]))["messages"]
    answer = replies[-1]
    assert answer["thread_ts"] == asked["ts"]
    assert answer["text"] == "*On its way* &lt;b&gt;"
    assert answer["blocks"][1]["elements"][0]["value"] == "track:7"
    assert answer["ts"] == outcome.message_id


async def test_a_draft_is_edited_until_it_is_whole(slack_cloud: str, person: Person, http: SafeHttp) -> None:
    me = to(slack_cloud)
    channel = await channel_of(person)
    context = {"channel": channel}
    handle = await SLACK.show(me, Draft(channel, "The first", context=context), http)
    handle = await SLACK.show(me, Draft(channel, "The first words", "The first", handle, context), http)
    for call in SLACK.render(
        me, Outgoing(channel, "The **first** words, and the last.", context=context, replaces=handle)
    ):
        assert isinstance(await SLACK.send(me, call, http, delivery_id=DELIVERY), Sent)
    history = (await person.call("conversations.history", channel=channel))["messages"]
    texts = [one["text"] for one in history]
    assert texts.count("The *first* words, and the last.") == 1
    assert "The first" not in texts


async def test_slacks_refusals_are_final(slack_cloud: str, http: SafeHttp) -> None:
    (call,) = SLACK.render(to(slack_cloud), Outgoing("C404", "hi"))
    unknown = await SLACK.send(to(slack_cloud), call, http, delivery_id=DELIVERY)
    assert isinstance(unknown, Permanent)
    assert "channel_not_found" in unknown.words
    weak = await SLACK.send(to(slack_cloud, WEAK_TOKEN), call, http, delivery_id=DELIVERY)
    assert isinstance(weak, Permanent)
    assert "needed: chat:write" in weak.words


async def test_streaming_is_not_known_there_and_harms_nothing(slack_cloud: str, http: SafeHttp) -> None:
    draft = Draft("C1:1.1", "x", context={"channel": "C1", "thread_ts": "1.1"})
    with pytest.raises(OutgoingFailed):
        await SLACK.show(to(slack_cloud), draft, http)


async def test_a_customers_file_is_fetched(slack_cloud: str, person: Person, http: SafeHttp) -> None:
    channel = await channel_of(person)
    content = b"\x89PNG\r\n\x1a\n and more"
    place = await person.call("files.getUploadURLExternal", filename="a.png", length=len(content))
    async with aiohttp.ClientSession() as session, session.post(place["upload_url"], data=content) as uploaded:
        assert uploaded.status == 200
    await person.call(
        "files.completeUploadExternal", files=[{"id": place["file_id"], "title": "a.png"}], channel_id=channel
    )
    history = (await person.call("conversations.history", channel=channel))["messages"]
    shared = next(one for one in history if one.get("files"))
    (event,) = SLACK.parse(to(slack_cloud), posted({"type": "event_callback", "event": {**shared, "channel": channel}}))
    assert isinstance(event.content, Message)
    (media,) = event.content.media
    fetched = await SLACK.download(to(slack_cloud), Media(media.kind, media.ref), http, max_bytes=1_000)
    assert fetched == content
