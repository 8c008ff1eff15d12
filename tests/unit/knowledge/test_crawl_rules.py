"""robots.txt, sitemaps and the folding of addresses, as text."""

import gzip
import time

import pytest

from chatbot.knowledge.crawl import fold_url
from chatbot.knowledge.robots import read_robots
from chatbot.knowledge.sitemap import SitemapError, read_sitemap

URLSET = """<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:image="http://x/image">
<url><loc> https://a.test/1 </loc><image:image><image:loc>https://a.test/p.png</image:loc></image:image></url>
<url><loc>https://a.test/2?a=1&amp;b=2</loc></url></urlset>"""
BOMB = """<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<urlset><url><loc>https://a.test/&b;</loc></url></urlset>"""
OUTSIDE = '<?xml version="1.0"?><!DOCTYPE x SYSTEM "file:///etc/passwd"><urlset></urlset>'


def test_sitemaps_of_all_kinds() -> None:
    assert read_sitemap(URLSET.encode(), 10_000).pages == ("https://a.test/1", "https://a.test/2?a=1&b=2")
    assert read_sitemap(gzip.compress(URLSET.encode()), 10_000).pages[0] == "https://a.test/1"
    assert read_sitemap(b"https://a.test/1\n# no\nhttps://a.test/2\n", 10_000).pages == (
        "https://a.test/1",
        "https://a.test/2",
    )
    index = "<sitemapindex><sitemap><loc>https://a.test/s.xml</loc></sitemap></sitemapindex>"
    assert read_sitemap(index.encode(), 10_000).children == ("https://a.test/s.xml",)


@pytest.mark.parametrize("text", [BOMB, OUTSIDE, "<urlset><url>", "<html></html>", "no sitemap", "<a>" * 1000])
def test_bad_sitemaps_are_refused(text: str) -> None:
    with pytest.raises(SitemapError, match=r"\.$"):
        read_sitemap(text.encode(), 100_000)


def test_sitemaps_are_limited_packed_and_unpacked() -> None:
    with pytest.raises(SitemapError, match="1,000"):
        read_sitemap(b"<" + b"x" * 2000, 1000)
    with pytest.raises(SitemapError, match="unpacks"):
        read_sitemap(gzip.compress(b"x" * 1_000_000), 10_000)
    with pytest.raises(SitemapError, match="damaged"):
        read_sitemap(b"\x1f\x8b" + b"junk" * 10, 10_000)


def test_robots_longest_rule_and_own_group() -> None:
    rules = read_robots(
        "User-agent: *\nDisallow: /\n\nUser-agent: other\nUser-agent: Xin # us\nDisallow: /private\n"
        "Allow: /private/open\nDisallow: /*.pdf$\nDisallow: /search?*q=\nCrawl-delay: 2.5\nSitemap: https://a.test/s.xml\n"
    )
    allowed = ["/", "/private/open/x", "/a.pdf?x", "/search?x=1"]
    refused = ["/private", "/private/x", "/docs/a.pdf", "/search?a=1&q=2"]
    assert [rules.allows(path) for path in allowed] == [True] * 4
    assert [rules.allows(path) for path in refused] == [False] * 4
    assert (rules.crawl_delay, rules.sitemaps) == (2.5, ("https://a.test/s.xml",))
    assert not read_robots("User-agent: *\nDisallow: /").allows("/x")
    assert read_robots("User-agent: *\nDisallow:\n").allows("/x")
    assert read_robots("<html>not robots</html>").allows("/x")


def test_no_robots_pattern_is_slow() -> None:
    rules = read_robots("User-agent: *\nDisallow: /" + "*a" * 5000 + "$")
    begun = time.process_time()
    assert rules.allows("/" + "a" * 2000)
    assert time.process_time() - begun < 5


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("https://a.test/x", "http://A.test/x/#top"),
        ("https://a.test/x?a=1&b=2", "https://a.test/x?b=2&a=1&utm_source=mail&gclid=9"),
        ("https://a.test", "https://a.test:443/"),
        ("https://a.test/راهنما", "https://a.test/%D8%B1%D8%A7%D9%87%D9%86%D9%85%D8%A7"),
    ],
)
def test_addresses_of_one_page_fold(first: str, second: str) -> None:
    assert fold_url(first) == fold_url(second)
    assert fold_url(first) != fold_url(first + "2")
