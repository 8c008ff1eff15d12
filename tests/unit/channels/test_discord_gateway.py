"""Discord's Gateway against a server that plays it: hello, heartbeats, events, resuming, refusals."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from chatbot.channels.contract import Link
from chatbot.channels.errors import ProviderRefused
from chatbot.channels.events import Deleted, InboundEvent, Message, Reaction
from chatbot.channels.providers.discord.credentials import DiscordCredentials
from chatbot.channels.providers.discord.gateway import INTENTS, Gateway
from chatbot.core.background import end
from chatbot.core.safe_http import OutgoingFailed, SafeHttp
from tests.unit.channels.discord_peer import BOT, SECONDS, Connection, Discord, playing
from tests.unit.channels.peer import account

ROLE = "901"
AUTHOR = {"id": "7", "username": "sara"}


@dataclass
class Taken:
    """What the bot handed on."""

    events: "asyncio.Queue[InboundEvent]" = field(default_factory=asyncio.Queue)
    cursor: Mapping[str, Any] = field(default_factory=dict)
    alive: int = 0

    async def take(self, events: Sequence[InboundEvent], cursor: Mapping[str, Any]) -> None:
        self.cursor = cursor
        for event in events:
            await self.events.put(event)

    def is_alive(self) -> None:
        self.alive += 1

    async def next(self) -> InboundEvent:
        async with asyncio.timeout(SECONDS):
            return await self.events.get()


@pytest.fixture
async def discord() -> AsyncIterator[Discord]:
    async with playing() as played:
        yield played


@dataclass
class Bot:
    """A listener at work."""

    task: "asyncio.Task[None]"
    taken: Taken
    waited: list[float]

    async def over(self) -> None:
        async with asyncio.timeout(SECONDS):
            await self.task


Start = Callable[..., Bot]


@pytest.fixture
async def start(discord: Discord) -> AsyncIterator[Start]:
    bots: list[Bot] = []
    async with SafeHttp(allow_private_hosts=frozenset({"127.0.0.1"})) as http:

        def begin(cursor: Mapping[str, Any] | None = None) -> Bot:
            taken, waited = Taken(), []
            credentials = DiscordCredentials(
                application_id=BOT, public_key="", bot_token="token-of-the-bot", api_url=f"{discord.base}/v10"
            )

            async def wait(seconds: float) -> None:
                waited.append(seconds)

            link = Link(taken.take, taken.is_alive, http)
            gateway = Gateway(account(credentials), cursor or {}, link, wait=wait)
            bots.append(Bot(asyncio.create_task(gateway.run()), taken, waited))
            return bots[-1]

        yield begin
        await end(*(bot.task for bot in bots))


def message(number: int, **fields: Any) -> dict[str, Any]:
    return {"id": str(number), "type": 0, "content": "hi", "channel_id": "5", "author": AUTHOR, **fields}


async def hold() -> None:
    await asyncio.Event().wait()


async def test_it_introduces_itself_and_hands_messages_on(discord: Discord, start: Start) -> None:
    introduced: list[dict[str, Any]] = []

    async def play(bot: Connection) -> None:
        introduced.append(await bot.hello())
        await bot.ready(discord.resume_url)
        await bot.dispatch("GUILD_CREATE", {"id": "1", "roles": [{"id": ROLE, "tags": {"bot_id": BOT}}, {"id": "2"}]})
        await bot.dispatch("MESSAGE_CREATE", message(1))
        await bot.dispatch("MESSAGE_CREATE", message(2, guild_id="1", channel_type=0))  # overheard
        await bot.dispatch("PRESENCE_UPDATE", {"user": {"id": "7"}})
        await bot.dispatch("MESSAGE_CREATE", message(3, guild_id="1", channel_type=0, mention_roles=[ROLE]))
        await bot.dispatch("MESSAGE_CREATE", message(4, guild_id="1", channel_type=11))
        await bot.dispatch("MESSAGE_DELETE", {"id": "1", "channel_id": "5", "guild_id": "1"})
        reaction = {"message_id": "1", "channel_id": "5", "user_id": "7", "guild_id": "1", "message_author_id": BOT}
        await bot.dispatch("MESSAGE_REACTION_ADD", {**reaction, "emoji": {"name": "👍"}})
        await hold()

    discord.scripts = [play]
    bot = start()
    events = [await bot.taken.next() for _ in range(5)]
    assert [event.message_id for event in events] == ["1", "3", "4", "1", "1"]
    assert [event.addressed for event in events] == [True, True, False, False, True]
    assert [type(event.content) for event in events] == [Message, Message, Message, Deleted, Reaction]
    assert events[4].id.endswith(":s1:9")
    identify = introduced[0]
    assert identify["op"] == 2
    assert identify["d"]["token"] == "token-of-the-bot"
    assert identify["d"]["intents"] == INTENTS == 46_593
    assert bot.taken.cursor == {
        "session_id": "s1", "seq": 9, "url": discord.resume_url, "user": BOT, "roles": [ROLE],
    }  # fmt: skip
    assert bot.taken.alive == 1


async def test_the_heart_beats_with_the_last_number(discord: Discord, start: Start) -> None:
    beats: asyncio.Queue[Any] = asyncio.Queue()

    async def play(bot: Connection) -> None:
        await bot.hello(interval=1_000)
        await bot.ready(discord.resume_url)
        for _ in range(2):
            await beats.put((await bot.next(1))["d"])
            await bot.tell(11)
        await bot.tell(1)
        await beats.put((await bot.next(1))["d"])
        await hold()

    discord.scripts = [play]
    bot = start()
    async with asyncio.timeout(SECONDS):
        found = [await beats.get() for _ in range(3)]
    assert found[1:] == [1, 1]
    assert bot.taken.alive >= 2


async def test_without_an_answer_to_its_heart_it_resumes(discord: Discord, start: Start) -> None:
    resumed: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def deaf(bot: Connection) -> None:
        await bot.hello(interval=1_000)
        await bot.ready(discord.resume_url)
        await hold()

    async def again(bot: Connection) -> None:
        await resumed.put(await bot.hello())
        await bot.dispatch("RESUMED", {})
        await bot.dispatch("MESSAGE_CREATE", message(1))
        await hold()

    discord.scripts = [deaf, again]
    bot = start()
    assert (await bot.taken.next()).message_id == "1"
    assert (await resumed.get())["d"] == {"token": "token-of-the-bot", "session_id": "s1", "seq": 1}
    assert discord.paths == ["/gateway/", "/resume/"]
    assert discord.closed_with[0] == 4000


@pytest.mark.parametrize("ending", ["reconnect", "closed", "broken"])
async def test_it_resumes_where_it_broke_off(discord: Discord, start: Start, ending: str) -> None:
    async def first(bot: Connection) -> None:
        await bot.hello()
        await bot.ready(discord.resume_url)
        await bot.dispatch("MESSAGE_CREATE", message(1))
        if ending == "reconnect":
            await bot.tell(7)
        elif ending == "closed":
            await bot.close(4001)
        else:
            bot.wire.abort()

    async def second(bot: Connection) -> None:
        resume = await bot.hello()
        assert resume["op"] == 6
        await bot.dispatch("MESSAGE_CREATE", message(2))
        await bot.dispatch("RESUMED", {})
        await hold()

    discord.scripts = [first, second]
    bot = start()
    assert [(await bot.taken.next()).message_id for _ in range(2)] == ["1", "2"]


async def test_after_a_restart_it_resumes_from_the_cursor(discord: Discord, start: Start) -> None:
    told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def play(bot: Connection) -> None:
        await told.put(await bot.hello())
        await bot.dispatch("RESUMED", {})
        await bot.dispatch("MESSAGE_CREATE", message(1, guild_id="1", channel_type=0, mention_roles=[ROLE]))
        await hold()

    discord.scripts = [play]
    bot = start({"session_id": "s0", "seq": 41, "url": discord.resume_url, "user": BOT, "roles": [ROLE]})
    assert (await bot.taken.next()).addressed
    assert (await told.get())["d"] == {"token": "token-of-the-bot", "session_id": "s0", "seq": 41}
    await end(bot.task)
    assert discord.closed_with == [4000]


@pytest.mark.parametrize("ending", [4007, 4009, "invalid"])
async def test_a_session_that_is_gone_is_begun_anew(discord: Discord, start: Start, ending: int | str) -> None:
    async def gone(bot: Connection) -> None:
        assert (await bot.hello())["op"] == 6
        if ending == "invalid":
            await bot.tell(9, False)
            await hold()
        await bot.close(int(ending))

    async def anew(bot: Connection) -> None:
        assert (await bot.hello())["op"] == 2
        await bot.ready(discord.resume_url)
        await bot.dispatch("MESSAGE_CREATE", message(1))
        await hold()

    discord.scripts = [gone, anew]
    bot = start({"session_id": "s0", "seq": 41, "url": discord.resume_url, "user": BOT})
    assert (await bot.taken.next()).message_id == "1"
    assert discord.paths == ["/resume/", "/gateway/"]
    assert all(1 <= seconds <= 5 for seconds in bot.waited)
    assert len(bot.waited) == (ending == "invalid")


async def test_an_address_to_resume_at_that_is_gone_is_left(discord: Discord, start: Start) -> None:
    async def play(bot: Connection) -> None:
        assert (await bot.hello())["op"] == 6
        await bot.dispatch("MESSAGE_CREATE", message(1))
        await hold()

    discord.scripts = [play]
    bot = start({"session_id": "s0", "seq": 41, "url": "ws://127.0.0.1:9"})
    assert (await bot.taken.next()).message_id == "1"


@pytest.mark.parametrize(
    ("code", "words"), [(4004, "token"), (4013, "intents"), (4014, "Message Content"), (4011, "several connections")]
)
async def test_what_cannot_go_on_is_said_in_words(discord: Discord, start: Start, code: int, words: str) -> None:
    async def play(bot: Connection) -> None:
        await bot.hello()
        await bot.close(code)

    discord.scripts = [play]
    with pytest.raises(ProviderRefused, match=words):
        await start().over()


async def test_a_wrong_token_and_too_many_sessions(discord: Discord, start: Start) -> None:
    discord.remaining = 0
    with pytest.raises(OutgoingFailed, match="60 seconds"):
        await start().over()
    discord.bot_status = 401
    with pytest.raises(ProviderRefused, match="token"):
        await start().over()
    discord.bot_status = 503
    with pytest.raises(OutgoingFailed):
        await start().over()


async def test_a_server_that_never_begins_is_left_to_the_callers_patience(discord: Discord, start: Start) -> None:
    async def play(bot: Connection) -> None:
        await bot.close(1011)

    discord.scripts = [play] * 5
    with pytest.raises(OutgoingFailed, match="before it begins"):
        await start().over()
    assert len(discord.paths) == 2


async def test_frames_that_are_none_are_passed_over(discord: Discord, start: Start) -> None:
    async def play(bot: Connection) -> None:
        await bot.hello()
        await bot.ready(discord.resume_url)
        await bot._socket.send_str("not JSON")
        await bot._socket.send_str("[]")
        await bot._socket.send_bytes(b"\x00")
        await bot.tell(99, [])
        await bot.dispatch("MESSAGE_CREATE", {"author": None})
        await bot.dispatch("MESSAGE_CREATE", message(2))
        await hold()

    discord.scripts = [play]
    bot = start()
    await bot.taken.next()
    assert (await bot.taken.next()).message_id == "2"


async def test_interactions_without_an_address_come_here_and_are_answered(discord: Discord, start: Start) -> None:
    interaction = {"id": "11", "token": "tok", "type": 2, "data": {"name": "help"}, "channel_id": "5", "user": AUTHOR}

    async def play(bot: Connection) -> None:
        await bot.hello()
        await bot.ready(discord.resume_url)
        await bot.dispatch("INTERACTION_CREATE", interaction)
        await bot.dispatch("MESSAGE_CREATE", message(2))
        await hold()

    discord.scripts = [play]
    bot = start()
    event = await bot.taken.next()
    assert event.content == Message(command="help")
    await bot.taken.next()
    assert discord.callbacks == [("/v10/interactions/11/tok/callback", {"type": 5})]
