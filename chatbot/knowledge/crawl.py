"""Pages from the web as documents: one address, or all that a sitemap names, politely and within limits."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Hashable
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from chatbot.core.errors import XinError
from chatbot.core.safe_address import Address, AddressRefused, parse_address
from chatbot.core.safe_http import Fetched, SafeHttp
from chatbot.knowledge.parse.errors import ParseError
from chatbot.knowledge.parse.model import ParsedDocument, ParseLimits
from chatbot.knowledge.parse.sandbox import ParserSandbox
from chatbot.knowledge.parse.sniff import extension_for
from chatbot.knowledge.robots import ALLOW_ALL, MAX_BYTES, Robots, read_robots
from chatbot.knowledge.sitemap import Sitemap, SitemapError, read_sitemap

_TRACKING = ("utm_", "gclid", "fbclid", "msclkid", "mc_cid", "mc_eid", "yclid", "_ga", "igshid")
_DISALLOWED = "The site's robots.txt does not allow this page."
_PASSING = (408, 425, 429)
"""Of the refusals by status, those that are about the moment."""

_PAGE_TYPES = ("text/", "application/")


@dataclass(frozen=True, slots=True)
class CrawlOptions:
    """Limits of one crawl. Sizes in bytes, times in seconds."""

    max_pages: int = 1_000
    max_page_bytes: int = 10_000_000
    max_sitemap_bytes: int = 20_000_000
    max_sitemaps: int = 50
    pause: float = 0.2
    max_pause: float = 5.0


@dataclass(frozen=True, slots=True)
class CrawledPage:
    """A page that was read: where it is in the end, and what it says."""

    url: str
    document: ParsedDocument


@dataclass(frozen=True, slots=True)
class RefusedPage:
    """A page that was not taken, with a stable code and a sentence; `final`: asking again would change nothing."""

    url: str
    code: str
    reason: str
    final: bool = False


@dataclass(frozen=True, slots=True)
class NamedPages:
    """The pages a sitemap names, each once, and what was refused at once.

    `complete`: it and all it leads to were read whole. If not, a page it does not name here may still be in it.
    """

    pages: tuple[str, ...]
    refused: tuple[RefusedPage, ...]
    complete: bool


class _Refused(Exception):
    def __init__(self, code: str, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.final = final

    def of(self, url: str) -> RefusedPage:
        """The refusal of an address."""
        return RefusedPage(url, self.code, self.reason, self.final)


class Crawler:
    """One crawl of one tenant; remembers robots.txt, the pause for each host and who took which page."""

    def __init__(
        self,
        http: SafeHttp,
        sandbox: ParserSandbox,
        options: CrawlOptions | None = None,
        limits: ParseLimits | None = None,
    ) -> None:
        self._http = http
        self._sandbox = sandbox
        self._options = options or CrawlOptions()
        self._limits = limits or ParseLimits()
        self._robots: dict[tuple[str, str, int], Robots] = {}
        self._next_turn: dict[str, float] = {}
        self._seen: dict[str, Hashable] = {}

    async def page(self, url: str, taker: Hashable | None = None) -> CrawledPage | RefusedPage:
        """Fetch and read one address. A refusal is an answer, not an error.

        Args:
            taker: who asks; what it took in an earlier try is no duplicate to it. None: somebody new.
        """
        return await self._attempt(url, None, taker or object())

    async def sitemap(self, url: str) -> AsyncIterator[CrawledPage | RefusedPage]:
        """Fetch and read what a sitemap names, one page after the other, each with its outcome.

        Pages of other sites, forbidden by robots.txt, marked noindex or already seen are refused. A
        sitemap that cannot be read is itself a RefusedPage. Ends after `max_pages` pages.
        """
        tried = 0
        async for found in self._pages_of(url):
            if isinstance(found, RefusedPage):
                yield found
            elif tried >= self._options.max_pages:
                yield RefusedPage(url, "page_limit", f"The sitemap names more than {self._options.max_pages} pages.")
                return
            elif fold_url(found) not in self._seen:
                tried += 1
                yield await self._attempt(found, url, object())

    async def addresses(self, url: str) -> NamedPages:
        """Ask only which pages a sitemap names, at most `max_pages`."""
        pages: dict[str, str] = {}
        refused: list[RefusedPage] = []
        complete = True
        async for found in self._pages_of(url):
            if isinstance(found, RefusedPage):  # a sitemap, not a page
                refused.append(found)
                complete = False
            elif (fault := self._fault_of(found, url)) is not None:
                refused.append(fault)
            elif len(pages) < self._options.max_pages:
                pages.setdefault(fold_url(found), found)
            elif fold_url(found) not in pages:
                limit = self._options.max_pages
                refused.append(RefusedPage(url, "page_limit", f"The sitemap names more than {limit} pages."))
                complete = False
                break
        return NamedPages(tuple(pages.values()), tuple(refused), complete)

    def _fault_of(self, page: str, sitemap: str) -> RefusedPage | None:
        """What can be said against a page without asking the network."""
        try:
            address = self._http.check(page)
            _require_site(address, sitemap)
        except XinError as error:
            return RefusedPage(page, error.code, error.detail)
        except _Refused as refused:
            return refused.of(page)
        if not self._robots.get(address.origin, ALLOW_ALL).allows(address.target):
            return RefusedPage(page, "robots_disallowed", _DISALLOWED)
        return None

    async def _pages_of(self, url: str) -> AsyncIterator[str | RefusedPage]:
        """The addresses in a sitemap and in those it leads to."""
        waiting, known, taken = [url], {fold_url(url)}, 0
        while waiting:
            current = waiting.pop(0)
            if taken >= self._options.max_sitemaps:
                limit = self._options.max_sitemaps
                yield RefusedPage(current, "sitemap_limit", f"The index names more than {limit} sitemaps.")
                return
            taken += 1
            try:
                found = await self._read_sitemap(current, url)
            except _Refused as refused:
                yield refused.of(current)
                continue
            for child in found.children:
                try:
                    self._http.check(child)
                except XinError as error:
                    yield RefusedPage(child, error.code, error.detail)
                    continue
                if fold_url(child) not in known:
                    known.add(fold_url(child))
                    waiting.append(child)
            for page in found.pages:
                yield page

    async def _read_sitemap(self, url: str, start: str) -> Sitemap:
        fetched = await self._fetch(url, start, self._options.max_sitemap_bytes)
        try:
            return await asyncio.to_thread(read_sitemap, fetched.body, self._options.max_sitemap_bytes)
        except SitemapError as error:
            raise _Refused("bad_sitemap", str(error)) from error

    async def _attempt(self, url: str, sitemap: str | None, taker: Hashable) -> CrawledPage | RefusedPage:
        self._seen = {seen: by for seen, by in self._seen.items() if by != taker}
        try:
            return await self._take(url, sitemap, taker)
        except _Refused as refused:
            return refused.of(url)
        except ParseError as error:
            return RefusedPage(url, error.code, error.reason)

    async def _take(self, url: str, sitemap: str | None, taker: Hashable) -> CrawledPage:
        self._see(url, taker)
        fetched = await self._fetch(url, sitemap, self._options.max_page_bytes)
        if fold_url(fetched.url) != fold_url(url):
            self._see(fetched.url, taker)
        document = await self._sandbox.parse(fetched.body, _filename(fetched), fetched.media_type, self._limits)
        if sitemap and (document.noindex or "noindex" in fetched.headers.get("x-robots-tag", "").lower()):
            raise _Refused("noindex", "The page asks not to be indexed.")
        return CrawledPage(self._settle(fetched, document, taker), document)

    def _settle(self, fetched: Fetched, document: ParsedDocument, taker: Hashable) -> str:
        """The address the page goes by: its canonical one if that is on the same site. Folds duplicates."""
        own = parse_address(fetched.url)
        final = fetched.url
        if document.canonical_url:
            try:
                canonical = own.follow(document.canonical_url.split("#")[0])
            except AddressRefused:
                canonical = own
            if same_site(canonical, own):
                final = canonical.url
        if fold_url(final) != fold_url(fetched.url):
            self._see(final, taker)
        text = hashlib.sha256(document.markdown.encode()).hexdigest()
        if self._seen.setdefault(text, taker) != taker:
            raise _Refused("duplicate", "The page says the same as another page of this crawl.")
        return final

    def _see(self, url: str, taker: Hashable) -> None:
        if self._seen.setdefault(fold_url(url), taker) != taker:
            raise _Refused("duplicate", "The page is the same as another page of this crawl.")

    async def _fetch(self, url: str, start: str | None, max_bytes: int) -> Fetched:
        """One polite request. Raises _Refused with the reason of any failure."""
        try:
            address = self._http.check(url)
            if start:
                _require_site(address, start)
            robots = await self._robots_of(address)
            if not robots.allows(address.target):
                raise _Refused("robots_disallowed", _DISALLOWED)
            await self._wait_turn(address.host, robots)
            fetched = await self._http.fetch(url, max_bytes=max_bytes, accept=_PAGE_TYPES)
            final = parse_address(fetched.url)
        except XinError as error:
            raise _Refused(error.code, error.detail) from error
        if start:
            _require_site(final, start)
        if fetched.status != 200:
            raise _by_status(fetched.status)
        if final.origin != address.origin and not (await self._robots_of(final)).allows(final.target):
            raise _Refused("robots_disallowed", _DISALLOWED)
        return fetched

    async def _robots_of(self, address: Address) -> Robots:
        """The rules of a site, asked until it answers. None there: all is allowed. Not to be had: nothing is, for now
        (RFC 9309, 2.3.1.4)."""
        known = self._robots.get(address.origin)
        if known is None:
            known = await self._fetch_robots(address)
            self._robots[address.origin] = known
        return known

    async def _fetch_robots(self, address: Address) -> Robots:
        try:
            fetched = await self._http.fetch(address.follow("/robots.txt").url, max_bytes=MAX_BYTES)
        except AddressRefused:
            raise
        except XinError as error:
            raise _Refused("robots_unavailable", f"The site's robots.txt cannot be had: {error.detail}") from error
        if fetched.status == 200:
            return read_robots(fetched.body.decode("utf-8-sig", errors="replace"))
        if fetched.status >= 500 or fetched.status == 429:
            reason = f"The site's robots.txt cannot be had: the site answered with status {fetched.status}."
            raise _Refused("robots_unavailable", reason)
        return ALLOW_ALL

    async def _wait_turn(self, host: str, robots: Robots) -> None:
        pause = min(max(self._options.pause, robots.crawl_delay or 0.0), self._options.max_pause)
        now = time.monotonic()
        turn = max(now, self._next_turn.get(host, 0.0))
        self._next_turn[host] = turn + pause
        await asyncio.sleep(turn - now)


def fold_url(url: str) -> str:
    """One spelling for addresses of one page: no fragment, no tracking, host in lower case, no final slash."""
    parts = urlsplit(url)
    query = [(key, value) for key, value in parse_qsl(parts.query, keep_blank_values=True) if not _tracks(key)]
    path = unquote(parts.path).rstrip("/") or "/"
    host = parts.netloc.lower().removesuffix(":443" if parts.scheme == "https" else ":80")
    return urlunsplit(("", host, path, urlencode(sorted(query)), ""))


def same_site(first: Address, second: Address) -> bool:
    """Whether two addresses are of one site: the same host, `www.` aside, and port."""
    standard = {80, 443}
    ports = first.port == second.port or {first.port, second.port} <= standard
    return ports and first.host.removeprefix("www.") == second.host.removeprefix("www.")


def _require_site(address: Address, start: str) -> None:
    if not same_site(address, parse_address(start)):
        raise _Refused("other_site", "The page is on another site than the sitemap.")


def _by_status(status: int) -> _Refused:
    """Why an answer is no page. What the site says about the request itself it will say again."""
    if status in (404, 410):
        return _Refused(
            "http_status", f"The site says that there is nothing at this address (status {status}).", final=True
        )
    if 400 <= status < 500 and status not in _PASSING:
        return _Refused("http_status", f"The site refuses to give this address (status {status}).", final=True)
    return _Refused("http_status", f"The site answered with status {status}.")


def _tracks(key: str) -> bool:
    return key.lower().startswith(_TRACKING)


def _filename(fetched: Fetched) -> str:
    """A name with the extension of what the host says it sent; the address's own where it says nothing useful."""
    path = PurePosixPath(unquote(urlsplit(fetched.url).path))
    extension = extension_for(fetched.media_type)
    stem = path.stem if path.suffix else path.name
    return f"{stem or 'index'}.{extension}" if extension else path.name or "index.html"
