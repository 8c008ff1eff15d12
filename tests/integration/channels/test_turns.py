"""Turns of channels when much happens at once: short of connections, slow providers, removed channels, much at once."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
import procrastinate
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from procrastinate.retry import RetryDecision
from procrastinate.testing import InMemoryConnector
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from chatbot.apps.channel_parts import ChannelParts, make_channel_parts
from chatbot.apps.runtime import Runtime, open_runtime
from chatbot.channels.accounts import ConnectedChannel
from chatbot.channels.delivery_tasks import MAX_DOWNLOADS, delivery_tasks
from chatbot.channels.errors import ChannelBroken
from chatbot.channels.events import Deleted, InboundEvent, Media, Message, Sender
from chatbot.channels.inbox.repository import thread_of
from chatbot.channels.providers.webhook import WEBHOOK
from chatbot.channels.queueing import DOWNLOAD_TASK, NAMESPACE, TURN_TASK
from chatbot.channels.schemas import ChangeChannel, CreateChannel
from chatbot.channels.turn_tasks import MAX_TURNS, turn_tasks
from chatbot.channels.turns import Turns
from chatbot.channels.views import channel_view
from chatbot.core.blobs import BlobStore
from chatbot.core.errors import Unavailable
from chatbot.core.ids import new_id
from chatbot.core.settings import Settings
from chatbot.db.sessions import Database, TenantSession, Transaction
from chatbot.dialogue.handoff import floor
from chatbot.dialogue.handoff.parts import Agent, Wish
from chatbot.dialogue.hot_sessions import HotSession
from chatbot.dialogue.incoming import Incoming
from chatbot.dialogue.parts import Draft, Parts, Turn, TurnPolicy
from chatbot.dialogue.service import Dialogue
from chatbot.dialogue.waiting import begin_waiting
from chatbot.helpdesk.agents.repository import keep
from tests.conftest import TEST_KEYS, TenantRows
from tests.exhausted import exhausted
from tests.integration.channels.conftest import Whole
from tests.integration.dialogue.model_server import run_model_server
from tests.integration.dialogue.platform import DOCUMENTS, add_knowledge
from tests.unit.channels.telegram_peer import TOKEN, done


def parts_of(runtime: Runtime, database: Database | None = None) -> ChannelParts:
    return make_channel_parts(
        runtime.settings, database or runtime.database, runtime.jobs, runtime.blobs, runtime.provider_http,
        runtime.hot_sessions,
    )  # fmt: skip


def turns_of(parts: ChannelParts) -> Turns:
    return Turns(parts.database, parts.accounts, parts.outbox, parts.http)


async def connect(parts: ChannelParts, tenant: TenantRows) -> ConnectedChannel:
    """A webhook channel."""
    wanted = CreateChannel.model_validate({
        "tenant_id": str(tenant.id), "channel_type": "webhook", "display_name": "Shop",
        "credentials": {"webhook_url": "https://shop.example.com/"},
    })  # fmt: skip
    row, _ = await parts.channels.create(tenant.id, wanted)
    return await parts.accounts.get(row.channel.id)


def turn_of(tenant_id: UUID, channel: ConnectedChannel) -> Turn:
    conversation_id = new_id()
    hot = HotSession(tenant_id, channel.channel_id, conversation_id, "bot", 2, "en", None)
    return Turn(
        tenant_id, channel.brand_id, channel.channel_id, conversation_id, 0, new_id(), new_id(), "?", "en", (), (),
        TurnPolicy(persona=""), hot, channel.provider.channel_type,
    )  # fmt: skip


def said(number: int) -> InboundEvent:
    return InboundEvent(f"e{number}", "s1", Message(f"Question {number}?"), Sender("ann"), f"m{number}")


async def test_as_many_replies_as_there_are_connections_do_not_wait_for_one_another(
    runtime: Runtime, tenant: TenantRows, database_url: str
) -> None:
    channel = await connect(parts_of(runtime), tenant)
    async with Database(database_url, pool_size=1) as small:
        turns = turns_of(parts_of(runtime, small))
        stored: list[UUID] = []
        all_begun = asyncio.Barrier(2)  # a pool of size 1 has two connections

        async def store() -> None:
            turn = turn_of(tenant.id, channel)
            async with small.tenant(tenant.id) as session:
                await all_begun.wait()
                await turns.put_reply(session, turn, Draft("extractive", "An answer."))
            stored.append(turn.reply_id)

        await asyncio.gather(store(), store())  # were one to wait for the other, the pool would give up
    assert len(stored) == 2


async def test_a_channel_is_not_opened_for_another_tenant(
    runtime: Runtime, tenant: TenantRows, other_tenant: TenantRows
) -> None:
    parts = parts_of(runtime)
    channel = await connect(parts, tenant)
    turn = turn_of(other_tenant.id, channel)
    async with runtime.database.tenant(other_tenant.id) as session:
        await turns_of(parts).put_reply(session, turn, Draft("extractive", "An answer."))
        stored = await session.execute(text("SELECT count(*) FROM deliveries"))
    assert stored.scalar_one() == 0


async def test_a_message_of_a_channel_that_was_removed_is_answered_by_nobody(
    runtime: Runtime, tenant: TenantRows
) -> None:
    parts = parts_of(runtime)
    channel = await connect(parts, tenant)
    await parts.inbox.take(channel, [said(1)])
    await parts.channels.delete(tenant.id, channel.channel_id)
    async with runtime.database.tenant_reader(tenant.id) as session:
        conversation = (await session.execute(text("SELECT id FROM conversations"))).scalar_one()
    turns = turns_of(parts)
    dialogue = Dialogue(
        Parts(runtime.database, runtime.bus, runtime.retriever, runtime.models, runtime.settings, courier=turns)
    )
    await turns.answer(dialogue, tenant.id, conversation)  # a job that raises comes back for ever
    await dialogue.apologize(tenant.id, conversation)
    async with runtime.database.tenant_reader(tenant.id) as session:
        deliveries = await session.execute(text("SELECT count(*) FROM deliveries"))
        replies = await session.execute(text("SELECT status FROM messages WHERE role = 'bot'"))
    assert deliveries.scalar_one() == 0
    assert list(replies.scalars()) == ["complete"]


async def test_a_question_of_a_channel_is_no_longer_than_a_message_may_be(runtime: Runtime, tenant: TenantRows) -> None:
    parts = parts_of(runtime)
    channel = await connect(parts, tenant)
    long = [InboundEvent(f"e{n}", "s1", Message(f"{n} " + "word " * 3000), Sender("ann"), f"m{n}") for n in range(3)]
    await parts.inbox.take(channel, long)
    async with runtime.database.tenant_reader(tenant.id) as session:
        conversation = (await session.execute(text("SELECT id FROM conversations"))).scalar_one()
    turn = await begin_waiting(
        Parts(runtime.database, runtime.bus, runtime.retriever, runtime.models, runtime.settings),
        tenant.id,
        conversation,
    )
    assert turn
    assert turn.question.startswith("0 word")
    assert len(turn.question) == turn.policy.max_message_chars


async def test_a_reply_that_is_interrupted_is_sent_whole_by_who_comes_next(
    settings: Settings, database_url: str, tenant: TenantRows
) -> None:
    async with run_model_server() as model:
        smart = {"openai_base_url": model.url, "openai_api_key": SecretStr("k" * 20), "smart_mode_enabled": True}
        async with open_runtime(settings.model_copy(update=smart), database_url, TEST_KEYS) as runtime:
            await add_knowledge(runtime.database, tenant, DOCUMENTS)
            conversation, turns, dialogue = await _asked(runtime, tenant, "Are gift cards refunded?")
            model.words, model.hold_at = ["[1] ", *["half "] * 200], 5
            job = asyncio.create_task(turns.answer(dialogue, tenant.id, conversation))
            while not model.open_streams:  # noqa: ASYNC110 - the server counts, it has no event
                await asyncio.sleep(0.01)
            job.cancel()
            await dialogue.stop()
            assert await _replies(runtime, tenant) == [("interrupted", "")]
            assert await _sent(runtime, tenant) == []

            model.words = ["Gift cards are not refunded [1]."]
            await turns.answer(dialogue, tenant.id, conversation)
            assert [said for _, said in await _replies(runtime, tenant)] == ["", "Gift cards are not refunded [1]."]
            assert len(await _sent(runtime, tenant)) == 1


async def test_what_a_dead_job_has_written_so_far_is_no_answer(runtime: Runtime, tenant: TenantRows) -> None:
    conversation, _, dialogue = await _asked(runtime, tenant, "Are gift cards refunded?")
    parts = Parts(runtime.database, runtime.bus, runtime.retriever, runtime.models, runtime.settings)
    assert await begin_waiting(parts, tenant.id, conversation)
    async with runtime.database.tenant(tenant.id) as session:
        await session.execute(text(
            "UPDATE messages SET text = 'Gift ca', created_at = now() - interval '1 minute' WHERE role = 'bot'"
        ))  # fmt: skip
    assert await dialogue.sweep() == 1
    assert await begin_waiting(parts, tenant.id, conversation), "the question still waits"


async def test_what_a_rule_says_between_a_question_and_its_reply_is_no_answer(
    runtime: Runtime, tenant: TenantRows
) -> None:
    conversation, turns, dialogue = await _asked(runtime, tenant, "Are gift cards refunded?")
    async with runtime.database.tenant(tenant.id) as session:
        await floor.announce(session, await floor.held(session, conversation), "We are a little slow today.", None)
    await turns.answer(dialogue, tenant.id, conversation)
    replies = await _replies(runtime, tenant)
    assert [status for status, _ in replies] == ["complete", "complete"]
    assert replies[0][1] == "We are a little slow today."


async def test_a_mail_that_no_machine_may_answer_any_more_waits_for_a_person(
    runtime: Runtime, tenant: TenantRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation, turns, dialogue = await _asked(runtime, tenant, "Are gift cards refunded?")
    capabilities = replace(WEBHOOK.capabilities, answers_at_most=((timedelta(minutes=10), 0),))
    monkeypatch.setattr(type(WEBHOOK), "capabilities", capabilities)
    await turns.answer(dialogue, tenant.id, conversation)
    async with runtime.database.tenant_reader(tenant.id) as session:
        state = (await session.execute(text("SELECT state FROM conversations"))).scalar_one()
        wishes = list(await session.scalars(text("SELECT requested_by FROM handoffs")))
    assert (state, wishes) == ("waiting", ["no_answer"])
    assert await _sent(runtime, tenant) == [], "a mail more would feed a loop"
    await turns.answer(dialogue, tenant.id, conversation)


async def _break_secrets(runtime: Runtime, tenant: TenantRows) -> None:
    async with runtime.database.tenant(tenant.id) as session:
        await session.execute(text("UPDATE channel_secrets SET sealed = decode('00', 'hex')"))


async def test_web_chat_is_answered_though_its_secret_cannot_be_opened(runtime: Runtime, tenant: TenantRows) -> None:
    """Its replies, and what people say, are read from the rows: no secret is needed for that."""
    parts = parts_of(runtime)
    async with runtime.database.tenant(tenant.id) as session:
        await session.execute(
            text(
                "INSERT INTO channel_secrets (tenant_id, id, channel_id, purpose, sealed, key_id) "
                "VALUES (:tenant, :id, :channel, 'secret', decode('00', 'hex'), 'gone')"
            ),
            {"tenant": tenant.id, "id": new_id(), "channel": tenant.channel_id},
        )
    with pytest.raises(ChannelBroken):
        await parts.accounts.get(tenant.channel_id)
    turns = turns_of(parts)
    dialogue = Dialogue(
        Parts(runtime.database, runtime.bus, runtime.retriever, runtime.models, runtime.settings, courier=turns)
    )
    incoming = Incoming(tenant.id, "I want to talk to a person", "visitor:ann", "ann", channel_id=tenant.channel_id)
    last = await (await dialogue.ask(incoming)).wait()
    assert last.name == "done", last
    conversation = UUID(str(last.data["conversation_id"]))
    agent = Agent(new_id(), "Sara")
    async with runtime.database.tenant(tenant.id) as session:
        await keep(session, agent)
        held = await floor.held(session, conversation)
        row, _ = await floor.say(session, held, agent, "Here I am.", client_message_id="c1", messenger=turns)
    assert row.text == "Here I am."
    await dialogue.stop()


async def test_what_a_person_says_is_refused_where_it_cannot_be_sent(runtime: Runtime, tenant: TenantRows) -> None:
    conversation, _, _ = await _asked(runtime, tenant, "Are gift cards refunded?")
    await _break_secrets(runtime, tenant)
    turns, agent = turns_of(parts_of(runtime)), Agent(new_id(), "Sara")
    with pytest.raises(ChannelBroken):
        async with runtime.database.tenant(tenant.id) as session:
            await keep(session, agent)
            held = await floor.held(session, conversation)
            await floor.say(session, held, agent, "Here I am.", client_message_id="c1", messenger=turns)
    async with runtime.database.tenant(tenant.id) as session:  # a notice is not worth it
        held = await floor.held(session, conversation)
        await floor.request(session, held, Wish("visitor", None), turns)
    assert await _sent(runtime, tenant) == []


def _queue(blueprint: procrastinate.Blueprint) -> procrastinate.App:
    """A queue that knows some tasks; jobs are run by hand."""
    app = procrastinate.App(connector=InMemoryConnector())
    app.add_tasks_from(blueprint, namespace=NAMESPACE)
    return app


async def _run(app: procrastinate.App, name: str, attempts: int, **arguments: UUID) -> RetryDecision | None:
    """Run a job as a worker does; return when it comes back, None when it is done."""
    task = app.tasks[name]
    given = {"correlation_id": "c", **{key: str(value) for key, value in arguments.items()}}
    job = procrastinate.jobs.Job(
        id=1, queue="q", lock=None, queueing_lock=None, task_name=name, attempts=attempts, task_kwargs=given
    )
    context = procrastinate.JobContext(app=app, job=job, start_timestamp=0.0, abort_reason=lambda: None)
    try:
        await task.func(context, **given)
    except Exception as error:  # noqa: BLE001 - as a worker does
        assert task.retry_strategy
        return task.retry_strategy.get_retry_decision(exception=error, job=job)
    return None


async def test_a_turn_of_a_channel_whose_secrets_cannot_be_opened_ends_with_a_person(
    runtime: Runtime, tenant: TenantRows
) -> None:
    conversation, _, _ = await _asked(runtime, tenant, "Are gift cards refunded?")
    await _break_secrets(runtime, tenant)
    turns = turns_of(parts_of(runtime))
    dialogue = Dialogue(
        Parts(runtime.database, runtime.bus, runtime.retriever, runtime.models, runtime.settings, courier=turns)
    )
    app = _queue(turn_tasks(turns, dialogue))
    job = {"tenant_id": tenant.id, "conversation_id": conversation}
    for attempts in range(MAX_TURNS - 1):
        assert await _run(app, TURN_TASK, attempts, **job) is not None
    assert await _run(app, TURN_TASK, MAX_TURNS - 1, **job) is None
    async with runtime.database.tenant_reader(tenant.id) as session:
        state = (await session.execute(text("SELECT state FROM conversations"))).scalar_one()
    assert state == "waiting"
    assert await _replies(runtime, tenant) == []


async def test_a_turn_that_breaks_each_time_ends_with_words_to_the_visitor(
    runtime: Runtime, tenant: TenantRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation, turns, dialogue = await _asked(runtime, tenant, "Are gift cards refunded?")

    async def breaks(*_: Any) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr(turns, "_may_answer", breaks)
    app = _queue(turn_tasks(turns, dialogue))
    job = {"tenant_id": tenant.id, "conversation_id": conversation}
    assert await _run(app, TURN_TASK, MAX_TURNS - 2, **job) is not None
    assert await _run(app, TURN_TASK, MAX_TURNS - 1, **job) is None
    ((status, words),) = await _replies(runtime, tenant)
    assert (status, bool(words)) == ("complete", True)
    assert len(await _sent(runtime, tenant)) == 1


async def test_a_database_that_is_away_ends_no_turn(runtime: Runtime, tenant: TenantRows) -> None:
    conversation, turns, dialogue = await _asked(runtime, tenant, "Are gift cards refunded?")
    app = _queue(turn_tasks(turns, dialogue))
    job = {"tenant_id": tenant.id, "conversation_id": conversation}
    async with exhausted(runtime.database):
        assert await _run(app, TURN_TASK, MAX_TURNS + 20, **job) is not None
    assert await _run(app, TURN_TASK, MAX_TURNS + 20, **job) is None
    assert len(await _sent(runtime, tenant)) == 1


async def test_what_shows_a_reply_cannot_make_its_job_begin_another(
    settings: Settings, database_url: str, tenant: TenantRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with run_model_server() as model:
        smart = {"openai_base_url": model.url, "openai_api_key": SecretStr("k" * 20), "smart_mode_enabled": True}
        async with open_runtime(settings.model_copy(update=smart), database_url, TEST_KEYS) as runtime:
            await add_knowledge(runtime.database, tenant, DOCUMENTS)
            conversation, turns, dialogue = await _asked(runtime, tenant, "Are gift cards refunded?")

            async def lost(*_: Any) -> None:
                raise OperationalError("SELECT", {}, ConnectionError("connection lost"), connection_invalidated=True)

            monkeypatch.setattr("chatbot.channels.turns.thread_of", lost)
            put_reply = turns.put_reply

            async def put(session: TenantSession, turn: Turn, draft: Draft) -> None:
                monkeypatch.setattr("chatbot.channels.turns.thread_of", thread_of)
                await put_reply(session, turn, draft)

            monkeypatch.setattr(turns, "put_reply", put)
            model.words = ["Gift cards are not refunded [1]."]
            app, job = _queue(turn_tasks(turns, dialogue)), {"tenant_id": tenant.id, "conversation_id": conversation}
            assert await _run(app, TURN_TASK, 0, **job) is None
            assert await _replies(runtime, tenant) == [("complete", "Gift cards are not refunded [1].")]
            assert len(await _sent(runtime, tenant)) == 1
            answers = [asked for asked in model.requests if asked.get("stream")]
            assert len(answers) == 1, "the reply was paid for once"
            await dialogue.stop()


async def test_a_file_that_its_adapter_cannot_take_is_given_up(
    runtime: Runtime, tenant: TenantRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = parts_of(runtime)
    channel = await connect(parts, tenant)
    media = Media("document", ref="https://shop.example.com/a.txt", name="a.txt")
    await parts.inbox.take(channel, [InboundEvent("e1", "s1", Message("See", (media,)), Sender("ann"), "m1")])
    async with runtime.database.tenant_reader(tenant.id) as session:
        attachment = (await session.execute(text("SELECT id FROM attachments"))).scalar_one()

    async def download(*_given: Any, **_named: Any) -> bytes:
        raise KeyError("url")

    monkeypatch.setattr(type(channel.provider), "download", download)
    app, job = _queue(delivery_tasks(parts.outbox, parts.files)), {"tenant_id": tenant.id, "attachment_id": attachment}
    assert await _run(app, DOWNLOAD_TASK, MAX_DOWNLOADS - 2, **job) is not None
    async with exhausted(runtime.database):
        assert await _run(app, DOWNLOAD_TASK, MAX_DOWNLOADS + 20, **job) is not None
    assert await _run(app, DOWNLOAD_TASK, MAX_DOWNLOADS - 1, **job) is None
    async with runtime.database.tenant_reader(tenant.id) as session:
        row = (await session.execute(text("SELECT status, reason FROM attachments"))).one()
    assert tuple(row) == ("refused", "the adapter failed: KeyError")


async def _asked(runtime: Runtime, tenant: TenantRows, question: str) -> tuple[UUID, Turns, Dialogue]:
    """Put a question into a conversation of a channel; return the conversation and what answers it."""
    parts = parts_of(runtime)
    channel = await connect(parts, tenant)
    await parts.inbox.take(channel, [InboundEvent("e1", "s1", Message(question), Sender("ann"), "m1")])
    async with runtime.database.tenant_reader(tenant.id) as session:
        conversation = (await session.execute(text("SELECT id FROM conversations"))).scalar_one()
    turns = turns_of(parts)
    return conversation, turns, Dialogue(
        Parts(runtime.database, runtime.bus, runtime.retriever, runtime.models, runtime.settings, courier=turns)
    )  # fmt: skip


async def _replies(runtime: Runtime, tenant: TenantRows) -> list[tuple[str, str]]:
    async with runtime.database.tenant_reader(tenant.id) as session:
        rows = await session.execute(text("SELECT status, text FROM messages WHERE role = 'bot' ORDER BY seq"))
    return [(row[0], row[1]) for row in rows]


async def _sent(runtime: Runtime, tenant: TenantRows) -> list[Any]:
    async with runtime.database.tenant_reader(tenant.id) as session:
        return list(await session.scalars(text("SELECT body FROM deliveries")))


async def test_files_of_a_repeated_event_are_stored_once(runtime: Runtime, tenant: TenantRows) -> None:
    parts = parts_of(runtime)
    channel = await connect(parts, tenant)
    media = Media("document", name="a.txt", content=b"A file.")
    event = InboundEvent("e1", "s1", Message("See the file", (media,)), Sender("ann"), "m1")
    for _ in range(3):
        await parts.inbox.take(channel, [event])
    folder = runtime.settings.folder("uploads") / "attachments" / str(tenant.id)
    assert [one.read_bytes() for one in folder.iterdir()] == [b"A file."]


async def test_files_of_events_that_are_not_stored_are_removed_again(
    runtime: Runtime, tenant: TenantRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = parts_of(runtime)
    channel = await connect(parts, tenant)
    media = Media("document", name="a.txt", content=b"A file.")
    event = InboundEvent("e1", "s1", Message("See the file", (media,)), Sender("ann"), "m1")

    async def fail(*_: Any) -> None:
        raise RuntimeError("the database is away")

    with monkeypatch.context() as patched:
        patched.setattr("chatbot.channels.inbox.repository.link_events", fail)
        with pytest.raises(RuntimeError, match="away"):
            await parts.inbox.take(channel, [event])
    mine = [key async for key in runtime.blobs.all_keys() if str(tenant.id) in key]
    assert mine == []
    await parts.inbox.take(channel, [event])
    assert len([key async for key in runtime.blobs.all_keys() if str(tenant.id) in key]) == 1


async def _keys(runtime: Runtime, tenant: TenantRows) -> list[str]:
    return [key async for key in runtime.blobs.all_keys() if str(tenant.id) in key]


async def _to_be_dropped(runtime: Runtime, tenant: TenantRows) -> list[str]:
    """The keys of files that jobs are to remove."""
    async with runtime.database.platform() as session:
        jobs = await session.scalars(text(
            "SELECT args -> 'keys' FROM procrastinate_jobs "
            "WHERE task_name = 'knowledge:drop_files' AND status = 'todo'"
        ))  # fmt: skip
        return [key for keys in jobs for key in keys if str(tenant.id) in key]


@pytest.mark.parametrize("committed", [False, True])
async def test_files_of_a_commit_whose_answer_was_lost_stay_only_with_their_rows(
    runtime: Runtime, tenant: TenantRows, monkeypatch: pytest.MonkeyPatch, committed: bool
) -> None:
    parts = parts_of(runtime)
    channel = await connect(parts, tenant)
    media = Media("document", name="a.txt", content=b"A file.")
    event = InboundEvent("e1", "s1", Message("See the file", (media,)), Sender("ann"), "m1")
    keep = Transaction.keep

    async def lost(session: Transaction) -> None:
        if isinstance(session, TenantSession):
            await (keep(session) if committed else session.undo())
            raise OperationalError("COMMIT", {}, ConnectionError("connection lost"), connection_invalidated=True)
        await keep(session)

    with monkeypatch.context() as patched:
        patched.setattr(Transaction, "keep", lost)
        with pytest.raises(OperationalError):
            await parts.inbox.take(channel, [event])
    assert len(await _keys(runtime, tenant)) == committed
    assert (await parts.inbox.take(channel, [event])).new == (not committed)
    async with runtime.database.tenant_reader(tenant.id) as session:
        stored = list(await session.scalars(text("SELECT blob_key FROM attachments")))
    assert await _keys(runtime, tenant) == stored
    assert len(stored) == 1


@pytest.mark.parametrize("stays_away", [False, True])
async def test_what_was_stored_before_its_neighbour_failed_is_removed(
    runtime: Runtime, tenant: TenantRows, monkeypatch: pytest.MonkeyPatch, stays_away: bool
) -> None:
    parts = parts_of(runtime)
    channel = await connect(parts, tenant)
    media = tuple(Media("document", name=f"{name}.txt", content=name.encode()) for name in ("first", "second"))
    put = BlobStore.put

    async def stumble(store: BlobStore, key: str, body: bytes) -> None:
        if body == b"second":
            raise Unavailable("the file store stumbled")
        await put(store, key, body)

    async def away(_store: BlobStore, _key: str) -> None:
        raise Unavailable("the file store is away")

    monkeypatch.setattr(BlobStore, "put", stumble)
    if stays_away:
        monkeypatch.setattr(BlobStore, "delete", away)
    with pytest.raises(Unavailable, match="stumbled"):
        await parts.inbox.take(channel, [InboundEvent("e1", "s1", Message("See", media), Sender("ann"), "m1")])
    left = await _keys(runtime, tenant)
    assert len(left) == stays_away
    assert await _to_be_dropped(runtime, tenant) == left, "what cannot be removed now is not forgotten"


async def test_a_message_that_is_taken_back_takes_its_files_with_it(runtime: Runtime, tenant: TenantRows) -> None:
    parts = parts_of(runtime)
    channel = await connect(parts, tenant)
    media = (Media("image", name="passport.png", content=b"A picture."), Media("document", ref="https://a.example/b"))
    for number in (1, 2):
        await parts.inbox.take(channel, [
            InboundEvent(f"e{number}", "s1", Message("Mine", media), Sender("ann"), f"m{number}")
        ])  # fmt: skip
    kept = await _keys(runtime, tenant)
    assert len(kept) == 2
    await parts.inbox.take(channel, [InboundEvent("e3", "s1", Deleted("m1"), Sender("ann"))])
    async with runtime.database.tenant_reader(tenant.id) as session:
        rows = (await session.execute(text(
            "SELECT m.provider_message_id, a.blob_key FROM attachments a JOIN messages m ON m.id = a.message_id "
            "ORDER BY a.blob_key"
        ))).all()  # fmt: skip
    assert [row[0] for row in rows] == ["m2", "m2"], "those of the other message stay"
    dropped = await _to_be_dropped(runtime, tenant)
    assert len(dropped) == 2
    assert set(dropped) & set(kept) == set(kept) - {row[1] for row in rows}


async def test_a_file_that_comes_when_its_visitor_has_been_erased_is_not_kept(
    runtime: Runtime, tenant: TenantRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = parts_of(runtime)
    channel = await connect(parts, tenant)
    media = Media("document", ref="https://shop.example.com/a.txt", name="a.txt")
    await parts.inbox.take(channel, [InboundEvent("e1", "s1", Message("See", (media,)), Sender("ann"), "m1")])
    async with runtime.database.tenant_reader(tenant.id) as session:
        attachment = (await session.execute(text("SELECT id FROM attachments"))).scalar_one()

    async def download(*_given: Any, **_named: Any) -> bytes:
        async with runtime.database.tenant(tenant.id) as session:
            await session.execute(text("DELETE FROM attachments"))
        return b"A file."

    monkeypatch.setattr(type(channel.provider), "download", download)
    await parts.files.fetch(tenant.id, attachment)
    assert [key async for key in runtime.blobs.all_keys() if str(tenant.id) in key] == []


async def test_a_provider_that_hangs_while_a_reply_is_shown_holds_no_conversation_locked(whole: Whole) -> None:
    asked, released = asyncio.Event(), asyncio.Event()

    async def serve(request: web.Request) -> web.Response:
        if request.match_info["method"] == "sendMessage":
            asked.set()
            await released.wait()
        return web.json_response(done({"message_id": 9}))

    app = web.Application()
    app.router.add_post("/bot{token}/{method}", serve)
    async with TestServer(app) as server:
        channel = await whole.channel("bale", {"bot_token": TOKEN, "api_url": str(server.make_url("")).rstrip("/")})
        chat: dict[str, Any] = {"id": 7, "type": "private"}
        message = {"message_id": 1, "chat": chat, "from": {"id": 7, "first_name": "Sara"}, "date": 1}
        update = {"update_id": 1, "message": {**message, "text": "How do I get a refund?"}}
        path = f"/webhooks/bale/{channel['id']}/{channel['secret']}"
        async with whole.gateway.post(path, data=orjson.dumps(update)) as answer:
            assert answer.status == 200
        await asyncio.wait_for(asked.wait(), 60)
        for _ in range(20):  # the reply is finished by now, and waits to be stored
            async with whole.runtime.database.tenant(whole.tenant.id) as session:
                locked = await session.execute(text("SELECT id FROM conversations FOR UPDATE NOWAIT"))
                assert len(locked.all()) == 1
            await asyncio.sleep(0.02)
        released.set()
        await whole.settled(channel, 1)


async def test_a_channel_whose_secrets_cannot_be_opened_is_shown_and_given_new_ones(
    runtime: Runtime, tenant: TenantRows
) -> None:
    conversation, turns, _ = await _asked(runtime, tenant, "Are gift cards refunded?")
    parts = parts_of(runtime)
    (row,) = await parts.channels.page(tenant.id, brand_id=None, channel_type="webhook", before=None, limit=5)
    channel_id = row.channel.id
    async with runtime.database.tenant(tenant.id) as session:
        await floor.announce(session, await floor.held(session, conversation), "Hello", turns)
        await session.execute(text("UPDATE channel_secrets SET sealed = decode('00', 'hex')"))

    (row,) = await parts.channels.page(tenant.id, brand_id=None, channel_type="webhook", before=None, limit=5)
    assert channel_view(row).live.last_error == ChannelBroken.title
    with pytest.raises(ChannelBroken):
        await parts.channels.test(tenant.id, channel_id)
    await parts.outbox.deliver(tenant.id, str(conversation))
    async with runtime.database.tenant_reader(tenant.id) as session:
        delivery = (await session.execute(text("SELECT status, last_error FROM deliveries"))).one()
    assert tuple(delivery) == ("pending", ChannelBroken.title), "it is tried again, for the key may come back"

    wanted = ChangeChannel.model_validate({"credentials": {"webhook_url": "https://shop.example.com/new"}})
    await parts.channels.change(tenant.id, channel_id, wanted)
    await parts.channels.rotate(tenant.id, channel_id, None)
    opened = await parts.accounts.get(channel_id)
    assert opened.account.credentials.webhook_url == "https://shop.example.com/new"
    await parts.channels.delete(tenant.id, channel_id)
