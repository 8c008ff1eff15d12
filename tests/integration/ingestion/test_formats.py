"""Each kind of source, from the API to passages that answer."""

import json

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.integration.ingestion.conftest import Client
from tests.unit.knowledge import files

NAMES = web.AppKey("names", list[str])
DOWN = web.AppKey("down", set[str])
FORMATS = {
    "policy.txt": b"Returns are free of charge for thirty days.",
    "policy.md": b"# Returns\n\nReturns are free of charge for thirty days.",
    "policy.html": b"<html><body><h1>Returns</h1><p>Returns are free of charge for thirty days.</p></body></html>",
    "policy.csv": b"question,answer\nMay I return it?,Within thirty days\n",
    "policy.json": b'{"returns": {"days": "thirty days", "cost": "free of charge"}}',
    "policy.pdf": files.make_pdf(["Returns are free of charge for thirty days."], shaped=False, align="L"),
    "policy.docx": files.make_docx("Returns are free of charge for thirty days."),
    "policy.pptx": files.make_pptx(),
    "policy.xlsx": files.make_xlsx(),
    "policy.epub": files.make_epub(),
}


async def test_every_format_becomes_ready(knowledge: Client) -> None:
    taken = {name: await knowledge.upload(name, body, tags="a, b") for name, body in FORMATS.items()}
    for name, answer in taken.items():
        job = await knowledge.ended(answer["job"]["id"])
        assert job["status"] == "completed", (name, job)
        assert job["progress"] == 1
        assert job["attempts"] == 1
        source = await knowledge.source(answer["asset"]["id"])
        assert (source["status"], source["tags"]) == ("ready", ["a", "b"])
        assert source["passages"] == len(await knowledge.passages(source["id"])) > 0
    listed = await knowledge.call(
        "GET", "/admin/knowledge_assets", params={"status": "ready", "tag": "b", "limit": "4"}
    )
    assert len(listed["items"]) == 4
    assert listed["next_cursor"]


async def test_text_and_pairs(knowledge: Client) -> None:
    text = await knowledge.give(title="Shipping", content="We ship within two days.", external_id="ship", tags=["x"])
    pairs = await knowledge.give(kind="qa", question="Do you ship abroad?", answer="To forty countries.")
    many = await knowledge.give(
        kind="qa", title="FAQ", pairs=[{"question": f"Q{n}?", "answer": f"A{n}."} for n in range(80)]
    )
    for answer, passages in ((text, 1), (pairs, 1), (many, 80)):
        assert (await knowledge.ended(answer["job_id"]))["status"] == "completed"
        source = await knowledge.call("GET", f"/v1/brands/default/knowledge/{answer['source_id']}")
        assert (source["status"], source["passages"], source["reason"]) == ("ready", passages, None)
    assert (await knowledge.passages(pairs["source_id"]))[0] == "Do you ship abroad?\n\nTo forty countries."
    brand = knowledge.tenant.brand_id
    path = f"/v1/brands/{brand}/knowledge/{pairs['source_id']}"
    assert (await knowledge.call("GET", path))["title"] == "Do you ship abroad?"
    assert (await knowledge.call("GET", f"/v1/brands/{brand}/knowledge/{text['source_id']}"))["external_id"] == "ship"


async def test_pairs_in_a_file_are_passages_of_their_own(knowledge: Client) -> None:
    rows = [("Do you ship abroad?", "To forty countries."), ("How to pay", "By card.")]
    listed = [{"question": question, "answer": answer} for question, answer in rows]
    table = "\n".join(["question,answer", *(",".join(row) for row in rows)])
    for name, body in (("faq.json", json.dumps(listed)), ("faq.csv", table)):
        taken = await knowledge.upload(name, body.encode())
        assert (await knowledge.ended(taken["job"]["id"]))["status"] == "completed"
        assert await knowledge.passages(taken["asset"]["id"]) == [
            "Do you ship abroad?\n\nTo forty countries.", "How to pay\n\nBy card.",
        ]  # fmt: skip


@pytest.fixture
def site() -> web.Application:
    """A site of three pages, one of which says that it is not to be indexed."""
    app = web.Application()

    def html(title: str, body: str, head: str = "") -> web.Response:
        main = f"<main><h1>{title}</h1><p>{body}</p></main>"
        return web.Response(
            text=f"<html><head><title>{title}</title>{head}</head><body>{main}</body></html>", content_type="text/html"
        )

    async def page(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        hidden = '<meta name="robots" content="noindex">' if name == "hidden" else ""
        return html(f"Page {name}", f"What is said on page {name} about {name}.", hidden)

    async def sitemap(request: web.Request) -> web.Response:
        names = request.app[NAMES]
        here = f"http://127.0.0.1:{request.url.port}"
        urls = "".join(f"<url><loc>{here}/p/{name}</loc></url>" for name in names)
        urls += "<url><loc>http://elsewhere.example.com/x</loc></url>"
        return web.Response(text=f"<urlset>{urls}</urlset>", content_type="application/xml")

    async def index(request: web.Request) -> web.Response:
        here = f"http://127.0.0.1:{request.url.port}"
        parts = "".join(f"<sitemap><loc>{here}{path}</loc></sitemap>" for path in ("/sitemap.xml", "/more.xml"))
        return web.Response(text=f"<sitemapindex>{parts}</sitemapindex>", content_type="application/xml")

    async def more(request: web.Request) -> web.Response:
        if request.app[DOWN]:
            return web.Response(status=503)
        here = f"http://127.0.0.1:{request.url.port}"
        return web.Response(text=f"<urlset><url><loc>{here}/p/extra</loc></url></urlset>", content_type="text/xml")

    async def robots(_request: web.Request) -> web.Response:
        return web.Response(text="User-agent: *\nDisallow: /p/private")

    app.router.add_get("/robots.txt", robots)
    app[NAMES] = ["one", "two", "hidden"]
    app[DOWN] = set[str]()
    app.router.add_get("/index.xml", index)
    app.router.add_get("/more.xml", more)
    app.router.add_get("/p/{name}", page)
    app.router.add_get("/sitemap.xml", sitemap)
    return app


async def test_a_page(knowledge: Client, site: web.Application) -> None:
    async with TestServer(site) as server:
        url = str(server.make_url("/p/one"))
        first = await knowledge.give(kind="url", url=url)
        assert (await knowledge.ended(first["job_id"]))["status"] == "completed"
        assert (await knowledge.source(first["source_id"]))["title"] == "Page one"
        again = await knowledge.give(kind="url", url=url)
        job = await knowledge.ended(again["job_id"])
    assert again["source_id"] == first["source_id"]
    assert (job["status"], job["reason_code"]) == ("completed", "notes")
    assert len(await knowledge.passages(first["source_id"])) == 1


async def test_an_address_inside_is_refused_at_once(knowledge: Client) -> None:
    taken = await knowledge.give(kind="url", url="http://169.254.169.254/latest/meta-data")
    job = await knowledge.ended(taken["job_id"])
    assert (job["status"], job["attempts"]) == ("failed", 1)
    assert "private or reserved" in job["reason"]


@pytest.mark.parametrize("kind", ["sitemap", "url"])
async def test_an_address_that_is_not_there_is_not_asked_again(
    knowledge: Client, site: web.Application, kind: str
) -> None:
    async with TestServer(site) as server:
        taken = await knowledge.give(kind=kind, url=str(server.make_url("/nowhere.xml")))
        job = await knowledge.ended(taken["job_id"])
    assert (job["status"], job["attempts"], job["reason_code"]) == ("failed", 1, "http_status")
    assert job["reason"] == "The site says that there is nothing at this address (status 404)."


async def test_pages_that_may_not_be_read_are_not_counted(knowledge: Client, site: web.Application) -> None:
    async with TestServer(site) as server:
        site[NAMES][:] = ["one", "private", "private2"]
        taken = await knowledge.give(kind="sitemap", url=str(server.make_url("/sitemap.xml")))
        job = await knowledge.ended(taken["job_id"])
        assert job["reason"].startswith("1 pages are to be read")
        assert "2 × The site's robots.txt does not allow this page." in job["reason"]
        jobs = (await knowledge.call("GET", "/admin/ingestion_jobs"))["items"]
        assert len(jobs) == 2
        for one in jobs:
            await knowledge.ended(one["id"])


async def test_what_a_part_of_a_sitemap_named_outlives_its_absence(knowledge: Client, site: web.Application) -> None:
    async with TestServer(site) as server:
        url = str(server.make_url("/index.xml"))
        taken = await knowledge.give(kind="sitemap", url=url)
        assert "4 pages are to be read" in (await knowledge.ended(taken["job_id"]))["reason"]
        site[DOWN].add("/more.xml")
        site[NAMES].remove("two")
        again = await knowledge.give(kind="sitemap", url=url)
        reason = (await knowledge.ended(again["job_id"]))["reason"]
        assert "2 pages are to be read" in reason
        assert "pages from before were kept" in reason
        pages = (await knowledge.call("GET", "/admin/knowledge_assets"))["items"]
        assert len(pages) == 5
        site[DOWN].clear()
        whole = await knowledge.give(kind="sitemap", url=url)
        assert "1 pages that are gone were removed" in (await knowledge.ended(whole["job_id"]))["reason"]


async def test_a_sitemap_and_its_pages(knowledge: Client, site: web.Application) -> None:
    async with TestServer(site) as server:
        url = str(server.make_url("/sitemap.xml"))
        taken = await knowledge.give(kind="sitemap", url=url)
        parent = await knowledge.ended(taken["job_id"])
        assert parent["status"] == "completed"
        assert "3 pages are to be read" in parent["reason"]
        assert "another site" in parent["reason"]
        jobs = (await knowledge.call("GET", "/admin/ingestion_jobs"))["items"]
        ends = [await knowledge.ended(job["id"]) for job in jobs if job["id"] != taken["job_id"]]
        assert sorted((job["status"], job["reason_code"]) for job in ends) == [
            ("completed", None), ("completed", None), ("failed", "noindex"),
        ]  # fmt: skip
        site[NAMES].remove("two")
        known = {job["id"] for job in jobs}
        again = await knowledge.give(kind="sitemap", url=url)
        assert "1 pages that are gone were removed" in (await knowledge.ended(again["job_id"]))["reason"]
        jobs = (await knowledge.call("GET", "/admin/ingestion_jobs"))["items"]
        ends = [await knowledge.ended(job["id"]) for job in jobs if job["id"] not in {*known, again["job_id"]}]
        assert sorted((job["status"], job["reason_code"]) for job in ends) == [
            ("completed", "notes"), ("failed", "noindex"),
        ]  # fmt: skip
        one = next(job for job in ends if job["status"] == "completed")
        assert "says the same as before" in one["reason"]
    ready = (await knowledge.call("GET", "/admin/knowledge_assets"))["items"]
    assert sorted(item["title"].rpartition("/")[2] for item in ready) == ["Page one", "hidden", "sitemap.xml"]
    await knowledge.call("DELETE", f"/admin/knowledge_assets/{taken['source_id']}", 204)
    assert await knowledge.scalar("SELECT count(*) FROM passages WHERE tenant_id = :t", t=knowledge.tenant.id) == 0
    assert (await knowledge.call("GET", "/admin/knowledge_assets"))["items"] == []
