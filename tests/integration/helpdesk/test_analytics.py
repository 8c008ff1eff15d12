"""What visitors and agents do on a whole platform is what analytics tell of the day."""

import pytest

from tests.integration.helpdesk.conftest import Caller, Hire
from tests.whole import Whole


async def test_a_day_at_the_help_desk_is_told(whole: Whole, hire: Hire) -> None:
    visitor, other, sara = Caller(whole), Caller(whole, "bob"), await hire(whole, "Sara")
    asked = await visitor.ask("How do I reset my password on iPhone?")
    conversation = asked["conversation_id"]
    assert asked["mode"] == "extractive"
    assert (await other.ask("Wingspan of an albatross?"))["mode"] == "no_answer"
    await visitor.call("POST", f"/v1/conversations/{conversation}/handoff", {})
    await sara.at(conversation, "takeover")
    await sara.say(conversation, "I am looking into it.")
    await sara.say(conversation, "It is done.")
    await sara.at(conversation, "close")
    await visitor.call("POST", f"/v1/conversations/{conversation}/csat", {"score": 4}, status=201)

    told = await sara.ask("GET", f"/admin/analytics?tenant_id={whole.tenant.id}")
    totals = told["totals"]
    assert {name: totals[name] for name in ("conversations", "answered_by_bot", "no_answer", "gaps")} == {
        "conversations": 2, "answered_by_bot": 1, "no_answer": 1, "gaps": 1,
    }  # fmt: skip
    assert (totals["handed_over"], totals["closed"], totals["messages"]) == (1, 1, 6)
    assert (totals["csat_count"], totals["csat_average"]) == (1, 4.0)
    assert 0 < totals["handoff_wait_seconds_p50"] < 600
    assert 0 < totals["first_response_seconds_p50"] < 600
    assert told["days"][-1]["messages"] == 6
    assert [channel["channel_type"] for channel in told["channels"]] == ["web"]


@pytest.mark.parametrize("act", ["takeover", "assign"])
async def test_a_conversation_taken_unasked_is_no_wish_for_a_person(whole: Whole, hire: Hire, act: str) -> None:
    visitor, sara = Caller(whole), await hire(whole, "Sara")
    conversation = (await visitor.ask("How do I reset my password on iPhone?"))["conversation_id"]
    await sara.at(conversation, act, {"assignee_id": str(sara.id)} if act == "assign" else None)
    await sara.say(conversation, "Hello!")
    await sara.at(conversation, "assign", {"assignee_id": None})
    totals = (await sara.ask("GET", f"/admin/analytics?tenant_id={whole.tenant.id}"))["totals"]
    assert (totals["handed_over"], totals["first_response_seconds_p50"]) == (0, None)
