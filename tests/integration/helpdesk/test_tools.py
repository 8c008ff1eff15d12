"""What agents work with: notes, canned replies, drafts."""

import aiohttp

from chatbot.core.ids import new_id
from tests.integration.helpdesk.conftest import Caller, Hire, Receiver
from tests.whole import Whole


async def test_notes_are_for_agents(whole: Whole, hire: Hire) -> None:
    visitor, sara, omid = Caller(whole), await hire(whole, "Sara"), await hire(whole, "Omid")
    conversation = (await visitor.ask("Refunds?"))["conversation_id"]
    async with omid.live() as feed:
        await feed.until("ready")
        note = await sara.at(
            conversation, "notes", {"text": "Check the card, @Omid", "mentions": [str(omid.id)]}, status=201
        )
        told = await feed.until("note.created", conversation_id=conversation)
        assert told["data"]["mentions"] == [str(omid.id)]
        assert "text" not in told["data"]
    assert note["author"]["name"] == "Sara"
    listed = await omid.at(conversation, "notes", method="GET")
    assert [each["text"] for each in listed["items"]] == ["Check the card, @Omid"]
    assert "Check the card" not in str(await visitor.messages(conversation))
    await sara.at(conversation, "notes", {"text": "x", "mentions": [str(new_id())]}, status=404)


async def test_canned_replies_are_filled_in(whole: Whole, hire: Hire) -> None:
    sara, tenant = await hire(whole, "Sara"), str(whole.tenant.id)
    conversation = (await Caller(whole).ask("Refunds?"))["conversation_id"]
    text = "Hello {{visitor.name}}, I am {{ agent.name }} of {{brand.name}}. {{conversation.id}}"
    body = {"tenant_id": tenant, "shortcut": "hi", "title": "Hello", "text": text}
    made = await sara.ask("POST", "/admin/canned_replies", body, status=201)
    path = f"/admin/canned_replies/{made['id']}"
    rendered = await sara.ask("POST", f"{path}/render", {"conversation_id": conversation})
    assert rendered["text"] == f"Hello Ann, I am Sara of Acme. {conversation}"
    again = await sara.ask("POST", "/admin/canned_replies", {**body, "shortcut": "HI"}, status=409)
    assert again["code"] == "shortcut_taken"
    own = {**body, "brand_id": str(whole.tenant.brand_id)}
    await sara.ask("POST", "/admin/canned_replies", own, status=201)
    changed = await sara.ask("PATCH", path, {"shortcut": "hello", "language": "en"})
    assert (changed["shortcut"], changed["language"], changed["text"]) == ("hello", "en", text)
    listed = (await sara.ask("GET", f"/admin/canned_replies?tenant_id={tenant}"))["items"]
    assert sorted(each["shortcut"] for each in listed) == ["hello", "hi"]
    await sara.ask("DELETE", path, status=204)
    await sara.ask("GET", path, status=404)


async def test_a_canned_reply_with_braces_that_nothing_fills_is_refused(whole: Whole, hire: Hire) -> None:
    sara = await hire(whole, "Sara")
    body = {"tenant_id": str(whole.tenant.id), "shortcut": "hola", "title": "Hola", "text": "Hola {{visitor.name}}"}
    made = await sara.ask("POST", "/admin/canned_replies", body, status=201)
    for text in ("Hola {{visitor.nombre}}", "Hola {{ Visitor.name }}", "{{}}"):
        for method, path, sent in (
            ("POST", "/admin/canned_replies", {**body, "shortcut": "otra", "text": text}),
            ("PATCH", f"/admin/canned_replies/{made['id']}", {"text": text}),
        ):
            (error,) = (await sara.ask(method, path, sent, status=422))["errors"]
            assert error["field"] == "text"
            assert error["message"].endswith("{{visitor.name}}, {{agent.name}}, {{brand.name}}, {{conversation.id}}")


async def test_a_draft_answers_the_last_question_and_says_nothing(whole: Whole, hire: Hire) -> None:
    visitor, sara = Caller(whole), await hire(whole, "Sara")
    asked = await visitor.ask("talk to a person")
    conversation = asked["conversation_id"]
    await sara.at(conversation, "takeover")
    await visitor.ask("How do I reset my password on iPhone?", conversation)
    await visitor.ask("thanks", conversation)
    before = await visitor.messages(conversation)
    draft = await sara.at(conversation, "draft")
    assert draft["mode"] == "extractive"
    assert "Reset password" in draft["text"]
    assert draft["citations"][0]["title"] == "Reset your password on iPhone"
    assert await visitor.messages(conversation) == before


async def test_agents_send_files(whole: Whole, hire: Hire, receiver: Receiver) -> None:
    visitor, sara = Caller(whole), await hire(whole, "Sara")
    conversation = (await visitor.ask("Refunds?"))["conversation_id"]

    async def upload(where: str) -> str:
        form = aiohttp.FormData()
        form.add_field("file", b"Your receipt: 20 EUR", filename="receipt.txt", content_type="text/plain")
        path = f"/admin/conversations/{where}/attachments"
        async with whole.api.post(path, data=form, headers=sara.headers) as answer:
            assert answer.status == 201, await answer.text()
            return str((await answer.json())["id"])

    file = await upload(conversation)
    body = {"text": "", "client_message_id": "f1", "attachment_ids": [file]}
    sent = await sara.at(conversation, "messages", body, status=201)
    assert [each["name"] for each in sent["attachments"]] == ["receipt.txt"]
    assert (await sara.at(conversation, "messages", body, status=201))["id"] == sent["id"]
    seen = (await visitor.messages(conversation))[-1]
    assert [(each["id"], each["name"]) for each in seen["attachments"]] == [(file, "receipt.txt")]
    again = await sara.at(conversation, "messages", {**body, "client_message_id": "f2"}, status=404)
    assert again["detail"] == "no such attachment"
    empty = await sara.at(conversation, "messages", {"text": "", "client_message_id": "f3"}, status=422)
    assert empty["code"] == "invalid_input"

    channel = await whole.channel("webhook", {"webhook_url": receiver.url})
    await whole.tell(channel, {"session_id": "s9", "text": "What is your refund policy?", "event_id": "e9"})
    await receiver.wait_for(1)
    (other,) = [each["id"] for each in await sara.queue("bot")]
    body = {"text": "Look", "client_message_id": "f4", "attachment_ids": [await upload(other)]}
    assert (await sara.at(other, "messages", body, status=409))["code"] == "files_not_sent"
    assert [each["role"] for each in (await sara.at(other, "messages", method="GET"))["items"]] == ["visitor", "bot"]
