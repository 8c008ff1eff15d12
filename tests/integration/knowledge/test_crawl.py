"""Crawling a real site on this machine: pages in, reasons out."""

import time
from collections.abc import AsyncIterator, Sequence

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from chatbot.core.safe_http import SafeHttp
from chatbot.knowledge.crawl import CrawledPage, Crawler, CrawlOptions, RefusedPage
from chatbot.knowledge.parse.sandbox import ParserSandbox
from tests.unit.knowledge import files


def page(title: str, body: str, head: str = "") -> str:
    main = f"<main><h1>{title}</h1><p>{body}</p></main>"
    return f"<html><head><title>{title}</title>{head}</head><body><nav>Menu</nav>{main}</body></html>"


class Site:
    """A small site under the name site.test."""

    def __init__(self) -> None:
        self.pages: dict[str, web.Response | tuple[str, str]] = {}
        self.asked: list[str] = []
        self.port = 0

    def url(self, path: str) -> str:
        return f"http://site.test:{self.port}{path}"

    def html(self, path: str, title: str, body: str, head: str = "") -> None:
        self.pages[path] = (page(title, body, head), "text/html")

    def sitemap(self, path: str, *targets: str) -> None:
        urls = "".join(f"<url><loc>{target if '://' in target else self.url(target)}</loc></url>" for target in targets)
        self.pages[path] = (f"<urlset>{urls}</urlset>", "application/xml")

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        found = self.pages.get(request.path)
        if found is None:
            return web.Response(status=404)
        if isinstance(found, web.Response):
            return web.Response(status=found.status, headers=found.headers, body=found.body)
        return web.Response(text=found[0], content_type=found[1])


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    site = Site()
    app = web.Application()
    app.router.add_get("/{rest:.*}", site.serve)
    async with TestServer(app) as server:
        assert server.port is not None
        site.port = server.port
        yield site


@pytest.fixture
async def crawler() -> AsyncIterator[Crawler]:
    async def lookup(host: str) -> Sequence[str]:
        return ["127.0.0.1"]

    allowed = frozenset({"site.test", "www.site.test", "other.test"})
    async with SafeHttp(allow_private_hosts=allowed, lookup=lookup) as http, ParserSandbox() as sandbox:
        yield Crawler(http, sandbox, CrawlOptions(max_pages=20, max_page_bytes=200_000, pause=0.0, max_pause=0.5))


async def crawl(crawler: Crawler, url: str) -> tuple[list[CrawledPage], dict[str, str]]:
    pages, refused = [], {}
    async for found in crawler.sitemap(url):
        if isinstance(found, RefusedPage):
            refused[found.url.rpartition("/")[2]] = found.code
            assert found.reason.endswith(".")
        else:
            pages.append(found)
    return pages, refused


async def test_one_page(site: Site, crawler: Crawler) -> None:
    site.html("/help/refunds", "Refunds | Site", "Money comes back.")
    found = await crawler.page(site.url("/help/refunds"))
    assert isinstance(found, CrawledPage)
    assert found.document.title.startswith("Refunds")
    assert "Money comes back." in found.document.markdown
    assert "Menu" not in found.document.markdown


async def test_other_types_and_their_refusals(site: Site, crawler: Crawler) -> None:
    pdf = files.make_pdf(files.ENGLISH, align="L")
    site.pages["/policy"] = web.Response(body=pdf, headers={"Content-Type": "application/pdf"})
    site.pages["/notes.txt"] = ("Plain notes here", "text/plain")
    site.pages["/pic"] = web.Response(body=b"\x89PNG", headers={"Content-Type": "image/png"})
    site.pages["/empty"] = ("<html><body></body></html>", "text/html")
    kinds = [await crawler.page(site.url(path)) for path in ("/policy", "/notes.txt")]
    assert [found.document.kind for found in kinds if isinstance(found, CrawledPage)] == ["pdf", "txt"]
    codes = [await crawler.page(site.url(path)) for path in ("/pic", "/empty", "/gone")]
    assert [found.code for found in codes if isinstance(found, RefusedPage)] == [
        "response_refused",
        "no_text",
        "http_status",
    ]


async def test_addresses_inside_are_refused_with_a_reason(site: Site, crawler: Crawler) -> None:
    site.pages["/away"] = web.Response(status=302, headers={"Location": "http://169.254.169.254/latest/"})
    for url in ("http://169.254.169.254/", "http://localhost/", "file:///etc/passwd", site.url("/away")):
        found = await crawler.page(url)
        assert isinstance(found, RefusedPage)
        assert found.code == "address_refused"


async def test_a_sitemap_with_everything_in_it(site: Site, crawler: Crawler) -> None:
    site.pages["/robots.txt"] = ("User-agent: *\nDisallow: /private\n", "text/plain")
    site.html("/a", "A", "Text of page A.")
    site.html("/b", "B", "Text of page B.", '<link rel="canonical" href="/b-canonical">')
    site.html("/b-copy", "B", "Text of page B, printed.", '<link rel="canonical" href="/b-canonical">')
    site.html("/same", "A", "Text of page A.")
    site.html("/private/x", "X", "Secret.")
    site.html("/hidden", "H", "Hidden.", '<meta name="robots" content="noindex">')
    site.pages["/moved"] = web.Response(status=301, headers={"Location": "/c"})
    site.html("/c", "C", "Text of page C.")
    site.pages["/leaves"] = web.Response(status=302, headers={"Location": f"http://other.test:{site.port}/a"})
    site.html("/big", "Big", "x" * 300_000)
    targets = ["/a", "/a#part", "/a?utm_source=x", "/b", "/b-copy", "/same", "/private/x", "/hidden", "/moved", "/c",
               "/leaves",
               "/gone", "/big", f"http://other.test:{site.port}/z"]  # fmt: skip
    site.sitemap("/sitemap.xml", *targets)
    pages, refused = await crawl(crawler, site.url("/sitemap.xml"))
    assert [found.url.rpartition("/")[2] for found in pages] == ["a", "b-canonical", "c"]
    assert refused == {
        "b-copy": "duplicate", "same": "duplicate", "x": "robots_disallowed", "hidden": "noindex",
        "leaves": "other_site",
        "gone": "http_status", "big": "response_too_large", "z": "other_site",
    }  # fmt: skip
    assert "/private/x" not in site.asked


async def test_a_page_tried_again_is_no_duplicate_of_itself(site: Site, crawler: Crawler) -> None:
    site.html("/a", "A", "Text of page A.")
    site.html("/same", "A", "Text of page A.")
    for _ in range(2):
        assert isinstance(await crawler.page(site.url("/a"), "first"), CrawledPage)
    other = await crawler.page(site.url("/same"), "second")
    assert isinstance(other, RefusedPage)
    assert other.code == "duplicate"
    site.html("/a", "A", "Something else now.")
    assert isinstance(await crawler.page(site.url("/a"), "first"), CrawledPage)
    assert isinstance(await crawler.page(site.url("/same"), "second"), CrawledPage)


async def test_indexes_limits_and_bombs(site: Site, crawler: Crawler) -> None:
    for number in range(30):
        site.html(f"/{number}", f"Page {number}", f"Text number {number}.")
    site.sitemap("/one.xml", *(f"/{number}" for number in range(30)))
    site.pages["/bomb.xml"] = ('<!DOCTYPE x [<!ENTITY a "b">]><urlset></urlset>', "text/xml")
    children = "".join(
        f"<sitemap><loc>{site.url(path)}</loc></sitemap>" for path in ("/bomb.xml", "/index.xml", "/one.xml")
    )
    site.pages["/index.xml"] = (f"<sitemapindex>{children}</sitemapindex>", "text/xml")
    pages, refused = await crawl(crawler, site.url("/index.xml"))
    assert len(pages) == 20
    assert refused == {"bomb.xml": "bad_sitemap", "index.xml": "page_limit"}


async def test_robots_that_cannot_be_had_refuse_all_until_they_can(site: Site, crawler: Crawler) -> None:
    site.pages["/robots.txt"] = web.Response(status=503)
    site.html("/a", "A", "Text.")
    found = await crawler.page(site.url("/a"), "again")
    assert isinstance(found, RefusedPage)
    assert found.code == "robots_unavailable"
    assert "/a" not in site.asked
    site.pages["/robots.txt"] = ("User-agent: *\nDisallow: /b\n", "text/plain")
    assert isinstance(await crawler.page(site.url("/a"), "again"), CrawledPage)


async def test_the_pause_a_site_asks_for_is_kept_within_our_limit(site: Site, crawler: Crawler) -> None:
    site.pages["/robots.txt"] = ("User-agent: xin\nCrawl-delay: 3600\n", "text/plain")
    site.html("/a", "A", "Text A.")
    site.html("/b", "B", "Text B.")
    begun = time.monotonic()
    await crawler.page(site.url("/a"))
    await crawler.page(site.url("/b"))
    assert 0.5 <= time.monotonic() - begun < 120
