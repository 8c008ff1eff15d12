"""What the sockets of a conversation are told when a person takes over in the middle of a reply."""

import asyncio
import json
from collections.abc import AsyncGenerator
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest

from chatbot.channels.live.room import Page, Room
from chatbot.channels.live.socket import Socket
from chatbot.core.clock import utcnow
from chatbot.core.ids import new_id
from chatbot.dialogue.answerer import Reply
from chatbot.dialogue.handoff.schemas import HoursView, Standing
from chatbot.dialogue.live import Place, StreamEvent
from chatbot.dialogue.live_repository import ConversationState
from chatbot.dialogue.repository import MessageRow
from chatbot.dialogue.schemas import Author

TENANT, CONVERSATION, SARA = new_id(), new_id(), new_id()


class Stream:
    """A reply that a test says word by word, also where a person has taken over and it does not know yet."""

    def __init__(self) -> None:
        self.row = MessageRow(
            id=new_id(), conversation_id=CONVERSATION, seq=2, role="bot", status="streaming", text="", language="en",
            client_message_id=None, reply_to=None, mode=None, citations=[], handoff_offered=False, usage={},
            created_at=utcnow(), completed_at=None,
        )  # fmt: skip
        self._said: asyncio.Queue[StreamEvent] = asyncio.Queue()

    async def say(self, name: Any, **data: Any) -> None:
        await self._said.put(StreamEvent(name, "", data))
        await asyncio.sleep(0.01)

    async def follow(self, *_: Any) -> Reply:
        return cast(Reply, SimpleNamespace(message_id=self.row.id, events=self._events))

    async def messages(self, *_: Any, **__: Any) -> list[MessageRow]:
        return []

    async def _events(self, _: Place) -> AsyncGenerator[list[StreamEvent]]:
        while True:
            yield [await self._said.get()]


def state(name: str, agent: UUID | None = None) -> ConversationState:
    person = {"id": str(agent), "name": "Sara", "avatar_url": None} if agent else None
    return ConversationState(id=CONVERSATION, state=name, last_seq=2, read_seq=0, owner="", agent=person)


@pytest.mark.parametrize("taken", ["human", "closed"])
async def test_no_word_of_the_bot_is_told_after_a_person_is(taken: str) -> None:
    frames: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        frames.append(json.loads(message["text"]))

    socket = Socket(send, cast(Any, None), address="", origin=None, asked_tenant=None, check_at=0)
    stream = Stream()
    room = Room(stream, TENANT, state("bot"), lambda: None)
    await room.join(socket, Page(state("bot"), [stream.row], 2, 0), ends=False)
    await stream.say("delta", text="The refund ")
    while not any(frame["type"] == "delta" for frame in frames):  # noqa: ASYNC110 - a plain list
        await asyncio.sleep(0.01)
    agent = SARA if taken == "human" else None
    standing = Standing(
        state=taken, agent=Author(id=SARA, name="Sara", avatar_url=None) if agent else None, queue=None,
        hours=HoursView(open_now=True, next_open_at=None),
    )  # fmt: skip
    room.take(state(taken, agent), [], standing)
    await stream.say("delta", text="is paid")
    await stream.say("citation", index=1)
    await asyncio.sleep(0.05)
    room.close()
    told = [frame["type"] for frame in frames]
    assert told.count("delta") == 1
    assert "citation" not in told
    assert told.index("delta") < told.index("state")


async def test_a_room_stays_open_for_whoever_is_on_the_way_in() -> None:
    stream = Stream()
    room = Room(stream, TENANT, state("bot"), lambda: None)
    with room.expecting():
        assert not room.empty
    assert room.empty
