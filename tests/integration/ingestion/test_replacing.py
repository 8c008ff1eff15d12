"""A source is given again, changed or removed: what answers follows, pages of sitemaps too."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from chatbot.knowledge import repository
from chatbot.knowledge.crawl import NamedPages
from chatbot.knowledge.ingestion import sitemaps
from tests.integration.ingestion.conftest import Client, working

_PAGE = """<html><head><title>Discounts</title></head><body><main><h1>Discounts</h1>
<p>The code of the staff for everything in the shop is lavender forty two.</p></main></body></html>"""


def _site(named: str) -> web.Application:
    """A site with one page, and a sitemap that holds what is given (`HERE`: the site's address)."""

    async def sitemap(request: web.Request) -> web.Response:
        return web.Response(text=named.replace("HERE", f"http://{request.host}"), content_type="application/xml")

    async def page(_request: web.Request) -> web.Response:
        return web.Response(text=_PAGE, content_type="text/html")

    app = web.Application()
    app.router.add_get("/sitemap.xml", sitemap)
    app.router.add_get("/a", page)
    return app


_ONE_PAGE = "<urlset><url><loc>HERE/a</loc></url></urlset>"


async def _pages(knowledge: Client, sitemap: str) -> list[dict[str, Any]]:
    items = (await knowledge.call("GET", "/admin/knowledge_assets", params={"limit": "200"}))["items"]
    return [item for item in items if item["parent_id"] == sitemap]


async def _taken(knowledge: Client, server: TestServer, **labels: Any) -> str:
    """Give a sitemap, and wait until its page answers."""
    taken = await knowledge.give(kind="sitemap", url=str(server.make_url("/sitemap.xml")), **labels)
    await knowledge.ended(taken["job_id"])
    async with asyncio.timeout(120):
        while [page["status"] for page in await _pages(knowledge, taken["source_id"])] != ["ready"]:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    source: str = taken["source_id"]
    return source


async def test_pages_of_a_sitemap_are_hidden_with_it(knowledge: Client) -> None:
    async with TestServer(_site(_ONE_PAGE), host="127.0.0.1") as server:
        sitemap = await _taken(knowledge, server)
        change = {"visibility": "internal", "tags": ["staff"]}
        await knowledge.call("PATCH", f"/admin/knowledge_assets/{sitemap}", json=change)
        assert [(page["visibility"], page["tags"]) for page in await _pages(knowledge, sitemap)] == [
            ("internal", ["staff"])
        ]


async def test_pages_go_when_something_else_takes_the_sitemaps_place(knowledge: Client) -> None:
    async with TestServer(_site(_ONE_PAGE), host="127.0.0.1") as server:
        sitemap = await _taken(knowledge, server, external_id="shop")
        taken = await knowledge.give(title="Shop", content="We open at nine every day.", external_id="shop")
        await knowledge.ended(taken["job_id"])
        assert (taken["source_id"], await _pages(knowledge, sitemap)) == (sitemap, [])


async def test_passages_go_when_a_sitemap_takes_their_place(knowledge: Client) -> None:
    first = await knowledge.give(title="Shop", content="We open at nine every day.", external_id="shop")
    await knowledge.ended(first["job_id"])
    async with TestServer(_site(_ONE_PAGE), host="127.0.0.1") as server:
        sitemap = await _taken(knowledge, server, external_id="shop")
    assert (sitemap, await knowledge.stored(sitemap)) == (first["source_id"], 0)
    assert (await knowledge.source(sitemap))["passages"] == 0
    held = "SELECT passages FROM brand_statistics WHERE tenant_id = :t"
    assert await knowledge.scalar(held, t=knowledge.tenant.id) == 1  # the page's


async def test_a_cancelled_replacement_can_be_given_again(idle: Client) -> None:
    async with working(idle.runtime):
        first = await idle.give(title="Hours", content="We open at nine.", external_id="hours")
        await idle.ended(first["job_id"])
    second = await idle.give(title="Hours", content="We open at ten.", external_id="hours")
    await idle.call("DELETE", f"/admin/ingestion_jobs/{second['job_id']}")
    third = await idle.give(title="Hours", content="We open at ten.", external_id="hours")
    async with working(idle.runtime):
        await idle.ended(third["job_id"])
    assert "ten" in str(await idle.passages(first["source_id"]))


async def test_a_page_is_read_anew_for_another_language_and_after_edits(knowledge: Client) -> None:
    async with TestServer(_site(_ONE_PAGE), host="127.0.0.1") as server:
        url = str(server.make_url("/a"))
        first = await knowledge.give(kind="url", url=url)
        await knowledge.ended(first["job_id"])
        path = f"/admin/knowledge_assets/{first['source_id']}/passages"
        for _ in range(2):  # the second time it is there in this language, and was removed by hand
            again = await knowledge.give(kind="url", url=url, language="es")
            await knowledge.ended(again["job_id"])
            passages = (await knowledge.call("GET", path))["items"]
            assert [passage["language"] for passage in passages] == ["es"]
            await knowledge.call("DELETE", f"/admin/passages/{passages[0]['id']}", 204)


@pytest.mark.parametrize(
    "named",
    [
        "<urlset><url><loc>HERE/a</loc></url><url><loc>HERE/" + "x" * 2_010 + "</loc></url></urlset>",
        "<sitemapindex><sitemap><loc>http://[bad</loc></sitemap></sitemapindex>",
    ],
    ids=["an address too long", "no address"],
)
async def test_one_bad_address_is_left_out(knowledge: Client, named: str) -> None:
    async with TestServer(_site(named), host="127.0.0.1") as server:
        taken = await knowledge.give(kind="sitemap", url=str(server.make_url("/sitemap.xml")))
        job = await knowledge.ended(taken["job_id"])
        assert job["reason_code"] != "internal_error", job


async def test_pages_that_are_added_while_their_sitemap_is_removed_go_too(idle: Client) -> None:
    taken = await idle.give(kind="sitemap", url="http://127.0.0.1:9/sitemap.xml")
    sitemap, runtime = UUID(taken["source_id"]), idle.runtime
    async with runtime.database.tenant(idle.tenant.id) as session:
        parent = await repository.lock_source(session, sitemap)
        assert parent
        await sitemaps.adopt_pages(
            session, parent, NamedPages(("http://127.0.0.1:9/a",), (), complete=True), queue=runtime.jobs,
            queue_name=runtime.settings.ingest_queue_name, store=runtime.retriever.store,
        )  # fmt: skip
        removal = asyncio.create_task(idle.call("DELETE", f"/admin/knowledge_assets/{sitemap}", 204))
        await asyncio.sleep(1)
    await removal
    assert await _pages(idle, str(sitemap)) == []
