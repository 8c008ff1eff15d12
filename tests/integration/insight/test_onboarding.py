"""The first steps are looked at for real: each is done by doing it, and by nothing else."""

from chatbot.identity.subject import Role
from tests.conftest import bearer
from tests.integration.insight.conftest import Client, ask


async def steps(client: Client, role: Role = Role.VIEWER) -> set[str]:
    """The steps that are done."""
    told = await client.call("GET", "/admin/onboarding", headers=bearer(role, client.tenant.id))
    assert told["done"] == all(step["done"] for step in told["steps"])
    assert [step["id"] for step in told["steps"]] == ["knowledge", "persona", "channel", "widget", "first_answer"]
    assert all(step["words"] and step["link"].startswith(f"/console/t/{client.tenant.id}/") for step in told["steps"])
    return {step["id"] for step in told["steps"] if step["done"]}


async def test_each_step_is_done_by_doing_it(knowledge: Client) -> None:
    tenant = knowledge.tenant
    assert await steps(knowledge) == set()
    asked = {"message": "When do you open?"}
    headers = {"X-Tenant-Id": str(tenant.id), **bearer(Role.TENANT_ADMIN, tenant.id)}
    await knowledge.call("POST", "/v1/chat", json=asked, headers=headers)
    assert await steps(knowledge) == set()  # an administrator's try is no visitor's
    taken = await knowledge.give(title="Hours", content="We open at nine.")
    await knowledge.ended(taken["job_id"])
    assert await steps(knowledge) == {"knowledge"}
    await knowledge.call("PUT", f"/admin/policies/{tenant.id}", json={"persona": {"name": "Sara"}}, params={})
    assert await steps(knowledge) == {"knowledge", "persona"}
    pages = {"allowed_origins": [f"https://{tenant.id}.example"]}
    await knowledge.call("PATCH", f"/admin/bots/{tenant.channel_id}", json=pages, params={})
    assert await steps(knowledge) == {"channel", "knowledge", "persona"}
    await ask(knowledge, "Do you sell elephants?")
    assert await steps(knowledge) == {"channel", "knowledge", "persona", "widget"}
    await ask(knowledge, "When do you open?")
    assert await steps(knowledge) == {"channel", "knowledge", "persona", "widget", "first_answer"}


async def test_a_visitor_who_came_says_that_pages_may(knowledge: Client) -> None:
    asked = {"tenant_id": str(knowledge.tenant.id)}
    session = await knowledge.call("POST", "/v1/widget/sessions", json=asked, headers={"Origin": "http://localhost"})
    headers = {"Authorization": f"Bearer {session['token']}"}
    await knowledge.call("POST", "/v1/chat", json={"message": "Do you sell elephants?"}, headers=headers)
    assert await steps(knowledge) == {"channel", "widget"}


async def test_a_program_with_a_visitors_token_is_no_page(knowledge: Client) -> None:
    await ask(knowledge, "Do you sell elephants?")
    assert await steps(knowledge) == set()


async def test_a_channel_that_is_off_is_none(idle: Client) -> None:
    await idle.scalar(
        'UPDATE channels SET configuration = configuration || \'{"allowed_origins": ["https://off.example"]}\' '
        "WHERE tenant_id = :t RETURNING id",
        t=idle.tenant.id,
    )
    assert await steps(idle) == {"channel"}
    await idle.scalar("UPDATE channels SET enabled = false WHERE tenant_id = :t RETURNING id", t=idle.tenant.id)
    assert await steps(idle) == set()
