"""The live feed: everything that happens, once, also across a reconnect and whatever commits late."""

import asyncio

from sqlalchemy import text

from tests.integration.helpdesk.conftest import Caller, Hire
from tests.whole import Whole


async def test_agents_are_told_what_happens(whole: Whole, hire: Hire) -> None:
    visitor, sara, omid = Caller(whole), await hire(whole, "Sara"), await hire(whole, "Omid")
    async with sara.live() as feed:
        await feed.until("ready")
        conversation = (await visitor.ask("Prices?"))["conversation_id"]
        for name in ("conversation.created", "message.received", "message.sent"):
            await feed.until(name, conversation_id=conversation)
        await omid.at(conversation, "takeover")
        taken = await feed.until("conversation.taken_over", conversation_id=conversation)
        assert taken["data"]["assignee_name"] == "Omid"
        await omid.at(conversation, "typing", {"active": True}, status=204)
        typing = await feed.until("typing", conversation_id=conversation)
        assert (typing["data"]["name"], typing["data"]["role"], "id" in typing) == ("Omid", "agent", False)


async def test_nothing_is_missed_or_doubled_by_a_reconnect_although_an_earlier_event_commits_late(
    whole: Whole, hire: Hire
) -> None:
    sara, database, tenant = await hire(whole, "Sara"), whole.runtime.database, whole.tenant
    insert = text(
        "INSERT INTO events (tenant_id, name, payload) "
        "VALUES (:t, 'message.sent', jsonb_build_object('n', CAST(:n AS int)))"
    )

    async def event(number: int) -> None:
        async with database.tenant(tenant.id) as session:
            await session.execute(insert, {"t": tenant.id, "n": number})

    seen: list[int] = []
    async with sara.live() as feed:
        await feed.until("ready")
        await event(1)
        await feed.until("message.sent", n=1)
    async with database.tenant(tenant.id) as late:
        await late.execute(insert, {"t": tenant.id, "n": 2})  # the lower number, not committed yet
        async with sara.live(feed.last_id) as second:
            await event(3)
            await second.until("message.sent", n=3)  # nobody waits for the long transaction
        await event(4)
    await event(5)
    async with sara.live(second.last_id) as third:
        while len(seen) < 3:
            told = await third.until("message.sent")
            seen.append(told["data"]["n"])
        await event(6)
        assert (await third.until("message.sent"))["data"]["n"] == 6
    assert sorted(seen) == [2, 4, 5]


async def test_a_feed_ends_when_the_agent_is_signed_out(whole: Whole, hire: Hire, monkeypatch) -> None:
    monkeypatch.setattr("chatbot.helpdesk.live.feed.PING_SECONDS", 0.2)
    monkeypatch.setattr("chatbot.identity.access.service.CACHE_SECONDS", 0.2)
    sara = await hire(whole, "Sara")
    async with sara.live() as feed:
        await feed.until("ready")
        async with whole.runtime.database.platform() as session:
            await session.execute(
                text("UPDATE user_sessions SET revoked_at = now() WHERE id = :id"), {"id": sara.session_id}
            )
        ended = await feed.until("error")
        assert ended["data"]["status"] == 401
        assert [event async for event in feed.events] == []


async def test_a_feed_says_shutdown_when_the_process_drains(whole: Whole, hire: Hire) -> None:
    sara = await hire(whole, "Sara")
    async with sara.live() as feed:
        await feed.until("ready")
        whole.orchestrator.draining.set()
        await feed.until("shutdown")


async def test_agents_are_listed_by_name_page_by_page(whole: Whole, hire: Hire) -> None:
    for name in ("Sara", "Omid", "Ana", "Omid", "Zoe"):
        sara = await hire(whole, name)
    path, found, cursor = f"/admin/agents?tenant_id={whole.tenant.id}&limit=2", [], ""
    while True:
        page = await sara.ask("GET", path + cursor)
        assert len(page["items"]) <= 2
        found += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert [each["name"] for each in found] == ["Ana", "Omid", "Omid", "Sara", "Zoe"]
    assert len({each["id"] for each in found}) == 5
    assert (await sara.ask("GET", f"{path}&cursor=x", status=422))["errors"][0]["field"] == "cursor"


async def test_who_reads_the_feed_is_there(whole: Whole, hire: Hire) -> None:
    sara, omid = await hire(whole, "Sara"), await hire(whole, "Omid")
    async with omid.live() as feed:
        await feed.until("ready")
        async with sara.live() as hers:
            await hers.until("ready")
            told = await feed.until("agent.presence", agent_id=str(sara.id))
            assert told["data"]["presence"] == "online"
            body = {"tenant_id": str(whole.tenant.id), "presence": "away"}
            await sara.ask("PUT", "/admin/agents/me/presence", body)
            assert (await feed.until("agent.presence", agent_id=str(sara.id)))["data"]["presence"] == "away"
    found = (await sara.ask("GET", f"/admin/agents?tenant_id={whole.tenant.id}"))["items"]
    assert {each["name"]: each["presence"] for each in found} == {"Sara": "away", "Omid": "online"}
    await asyncio.sleep(0)
