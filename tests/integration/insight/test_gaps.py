"""Gaps: what visitors asked in vain is grouped as it is written, and an answer becomes knowledge that answers."""

from datetime import timedelta

from sqlalchemy import text

from chatbot.core.clock import utcnow
from chatbot.core.ids import new_id
from chatbot.db.models import KnowledgeGap
from chatbot.identity.subject import Role
from chatbot.knowledge.gaps.grouping import group_key
from chatbot.knowledge.gaps.service import Grouping
from tests.conftest import bearer
from tests.integration.ingestion.conftest import working
from tests.integration.insight.conftest import Client, ask, gaps, ids

BIKE = "Do you deliver bicycles to Norway?"


async def test_an_answer_to_a_gap_answers_the_next_visitor(knowledge: Client) -> None:
    asked = await ask(knowledge, BIKE)
    assert asked["mode"] == "no_answer"
    again = await ask(knowledge, "do you DELIVER bicycles, to norway", "bob")
    [gap] = await gaps(knowledge)
    assert (gap["question"], gap["count"], gap["languages"], gap["status"]) == (BIKE, 2, ["en"], "open")
    assert gap["examples"] == ["do you DELIVER bicycles, to norway", BIKE]
    assert gap["conversation_ids"] == [again["conversation_id"], asked["conversation_id"]]
    answered = await knowledge.call(
        "POST", f"/admin/knowledge_gaps/{gap['id']}/answer", 202, json={"answer": "Yes, within nine days, for 40 €."}
    )
    assert (answered["gap"]["status"], answered["gap"]["source_id"]) == ("answered", answered["source_id"])
    assert (await knowledge.ended(answered["job_id"]))["status"] == "completed"
    told = await ask(knowledge, BIKE, "carol")
    assert told["mode"] == "extractive"
    assert "nine days" in told["answer"]
    assert told["citations"][0]["source_id"] == answered["source_id"]
    assert await gaps(knowledge) == []
    assert ids(await gaps(knowledge, status="answered")) == ids([gap])


async def test_answering_again_replaces_the_answer_and_a_removed_source_is_let_go(knowledge: Client) -> None:
    await ask(knowledge, "Is there a museum discount?")
    [gap] = await gaps(knowledge)
    path = f"/admin/knowledge_gaps/{gap['id']}/answer"
    first = await knowledge.call("POST", path, 202, json={"answer": "No."})
    better = {"question": "Do museums get a discount?", "answer": "Museums pay half of it."}
    second = await knowledge.call("POST", path, 202, json=better)
    assert second["source_id"] == first["source_id"]
    await knowledge.ended(second["job_id"])
    assert await knowledge.passages(first["source_id"]) == ["Do museums get a discount?\n\nMuseums pay half of it."]
    await knowledge.call("DELETE", f"/admin/knowledge_assets/{first['source_id']}", 204)
    [answered] = await gaps(knowledge, status="answered")
    assert answered["source_id"] is None
    assert (await ask(knowledge, "Is there a museum discount?"))["mode"] == "no_answer"
    [open_again] = await gaps(knowledge)
    assert (open_again["id"], open_again["count"]) == (gap["id"], 2)


async def test_a_gap_that_is_asked_while_its_answer_is_read_stays_answered(idle: Client) -> None:
    await ask(idle, "Where is the cloakroom?")
    [gap] = await gaps(idle)
    await idle.call("POST", f"/admin/knowledge_gaps/{gap['id']}/answer", 202, json={"answer": "By the stairs."})
    await ask(idle, "Where is the cloakroom?", "bob")
    assert await gaps(idle) == []
    [answered] = await gaps(idle, status="answered")
    assert answered["count"] == 2


async def test_persian_with_arabic_letters_is_the_same_question(idle: Client) -> None:
    await ask(idle, "هزینهٔ ارسال کالا به شیراز چقدر است؟")
    await ask(idle, "هزینه ارسال كالا به شيراز چقدر است")
    [gap] = await gaps(idle)
    assert (gap["count"], gap["languages"]) == (2, ["fa"])


async def test_a_dismissed_gap_stays_so_until_it_is_reopened(idle: Client) -> None:
    await ask(idle, "Will it rain tomorrow in Lisbon?")
    [gap] = await gaps(idle)
    dismissed = await idle.call("POST", f"/admin/knowledge_gaps/{gap['id']}/dismiss")
    assert (dismissed["status"], dismissed["settled_by"]) == ("dismissed", "cli")
    await ask(idle, "Will it rain tomorrow in Lisbon?", "bob")
    assert await gaps(idle) == []
    reopened = await idle.call("POST", f"/admin/knowledge_gaps/{gap['id']}/reopen")
    assert (reopened["status"], reopened["count"], reopened["settled_by"]) == ("open", 2, None)


async def test_those_asked_most_come_first_page_by_page_and_by_brand(idle: Client) -> None:
    for times, question in ((1, "Is the garden open?"), (3, "Where can I park a bus?"), (2, "Are dogs admitted?")):
        for visitor in range(times):
            await ask(idle, question, f"v{visitor}")
    listed = [item["question"] for item in await gaps(idle)]
    assert listed == ["Where can I park a bus?", "Are dogs admitted?", "Is the garden open?"]
    paged, cursor = [], None
    while True:
        params = {"limit": 1, **({"cursor": cursor} if cursor else {})}
        page = await idle.call("GET", "/admin/knowledge_gaps", params=params)
        paged += [item["question"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert paged == listed
    assert len(await gaps(idle, brand_id=str(idle.tenant.brand_id))) == 3
    assert await gaps(idle, brand_id=str(new_id())) == []
    for cursor in ("x", "1", "1.x", f"-1.{new_id()}", f"1e3.{new_id()}"):
        await idle.call("GET", "/admin/knowledge_gaps", 422, params={"cursor": cursor})


async def test_agents_and_viewers_may_look_and_only_administrators_change(idle: Client) -> None:
    await ask(idle, "Is there a lift?")
    [gap] = await gaps(idle)
    for role in (Role.AGENT, Role.VIEWER):
        headers = bearer(role, idle.tenant.id)
        await idle.call("GET", "/admin/knowledge_gaps", headers=headers)
        for verb, body in (("answer", {"answer": "Yes."}), ("dismiss", None), ("reopen", None)):
            await idle.call("POST", f"/admin/knowledge_gaps/{gap['id']}/{verb}", 403, headers=headers, json=body)
    await idle.call("POST", f"/admin/knowledge_gaps/{new_id()}/dismiss", 404)
    await idle.call("POST", f"/admin/knowledge_gaps/{gap['id']}/answer", 422, json={"answer": "x", "status": "open"})


async def test_gaps_stored_before_there_were_groups_are_grouped_by_a_job(idle: Client) -> None:
    database, tenant = idle.runtime.database, idle.tenant
    asked_at = utcnow() - timedelta(days=3)
    async with database.tenant(tenant.id) as session:
        session.add_all(
            KnowledgeGap(
                tenant_id=tenant.id, id=new_id(), brand_id=tenant.brand_id, question=question, language="en",
                evidence=0.1, created_at=asked_at + timedelta(hours=hour),
            )
            for hour, question in enumerate(["Any vegan snack?", "any vegan snacks", "Is there a sauna?"])
        )  # fmt: skip
    assert await gaps(idle) == []
    assert await Grouping(database, idle.runtime.jobs).begin() >= 1
    async with working(idle.runtime):
        for _ in range(900):
            if await idle.scalar("SELECT count(*) FROM knowledge_gaps WHERE group_id IS NULL") == 0:
                break
            await idle.scalar("SELECT pg_sleep(0.1) IS NULL")
    listed = {item["question"]: item["count"] for item in await gaps(idle)}
    assert listed == {"Any vegan snack?": 2, "Is there a sauna?": 1}


async def test_the_list_is_read_from_its_index(idle: Client) -> None:
    async with idle.runtime.database.tenant_reader(idle.tenant.id) as session:
        await session.execute(text("SET LOCAL enable_seqscan = off"))
        await session.execute(text("SET LOCAL enable_sort = off"))
        plan = await session.execute(
            text(
                "EXPLAIN SELECT * FROM gap_groups WHERE tenant_id = :tenant AND status = 'open' "
                "AND asked <= 5 AND (asked < 5 OR id < :tenant) ORDER BY asked DESC, id DESC LIMIT 51"
            ),
            {"tenant": idle.tenant.id},
        )
        told = "\n".join(str(row[0]) for row in plan)
    assert "ix_gap_groups_listed" in told
    assert "Sort" not in told


def test_the_key_is_of_words_that_carry_meaning() -> None:
    assert group_key("How do I reset my password?", "en") == group_key("password reset, how", "en")
    assert group_key("reset password", "en") != group_key("reset router", "en")
    assert group_key("Who are you?", "en") != group_key("Who is it?", "en")
