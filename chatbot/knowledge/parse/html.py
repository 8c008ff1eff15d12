"""HTML: the page's own content without its frame (menus, footers, banners), as Markdown."""

from __future__ import annotations

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

from chatbot.knowledge.parse import engine
from chatbot.knowledge.parse.encoding import decode
from chatbot.knowledge.parse.errors import ParseError, ParseFault
from chatbot.knowledge.parse.model import ParsedDocument, ParseLimits
from chatbot.knowledge.parse.rtl import plain_forms
from chatbot.knowledge.parse.titles import choose_title

_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?([A-Za-z0-9_:.-]{2,40})", re.IGNORECASE)
_NEVER_CONTENT = (
    "script, style, noscript, template, svg, canvas, iframe, object, embed, video, audio, form button, input, select, "
    "textarea, dialog, link, meta, [hidden], [aria-hidden='true']"
)
_FRAME = (
    "nav, footer, aside, [role='navigation'], [role='contentinfo'], [role='banner'], [role='search'], "
    "[role='complementary'], [role='dialog'], .sr-only, .visually-hidden, .skip-link, .breadcrumb, .breadcrumbs, "
    ".cookie-banner, .cookie-consent, #cookie-banner, #onetrust-consent-sdk, .site-header, .site-footer, "
    "#header, #footer, .navbar, .sidebar, #sidebar, .share-buttons, .pagination, .advertisement"
)
_MAIN = ("main", "[role='main']", "article", "#main-content", "#content", ".main-content", ".article-body")
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_SITE_SUFFIX = re.compile(r"\s+[|–—·»-]\s+[^|–—·»]{2,60}$")


def parse_html(data: bytes, filename: str, _limits: ParseLimits) -> ParsedDocument:
    """A page's content, title, language, canonical address and noindex wish. Raises ParseError(`no_text`, …)."""
    declared = _CHARSET.search(data[:4096])
    text, warning = decode(data, declared.group(1).decode("ascii") if declared else None)
    tree = LexborHTMLParser(plain_forms(text))
    title = _title(tree)
    content = _content(tree)
    markdown = _markdown(content) if content is not None else ""
    if not re.search(r"[^\W_]", markdown):
        raise ParseError(ParseFault.NO_TEXT, "The page holds no text. Pages drawn by scripts only cannot be read.")
    return ParsedDocument(
        title=choose_title(title, markdown, filename),
        markdown=markdown,
        kind="html",
        language=_language(tree),
        warnings=(warning,) if warning else (),
        canonical_url=_canonical(tree),
        noindex="noindex" in _meta(tree, "robots").lower(),
    )


def _title(tree: LexborHTMLParser) -> str:
    """The title element without the site's name, og:title before it where there is one."""
    og = tree.css_first("meta[property='og:title']")
    element = tree.css_first("head title")
    title = ((og.attributes.get("content") or "") if og else "") or (element.text() if element else "")
    heading = tree.css_first("h1")
    shortened = _SITE_SUFFIX.sub("", title)
    return shortened if heading is None or " ".join(heading.text().split()) == shortened.strip() else title


def _content(tree: LexborHTMLParser) -> LexborNode | None:
    """The node that holds the page's text, cleared of what is not content."""
    body = tree.body
    if body is None:
        return None
    _drop(body.css(_NEVER_CONTENT))
    _drop([node for node in body.css("[style]") if _HIDDEN_STYLE.search(node.attributes.get("style") or "")])
    whole = len(body.text().split())
    main = _main_node(body, whole)
    node = main or body
    framed = [part for part in node.css(_FRAME) if not part.css_matches("h1") and not _holds_most(part, whole)]
    headers = [] if main else [part for part in body.css("body > header") if part.css_first("h1") is None]
    _drop([*framed, *headers])
    _without_links_and_pictures(node)
    return node


def _main_node(body: LexborNode, words: int) -> LexborNode | None:
    """The single marked main part, if it holds a fair share of the words; several articles are a list page."""
    for selector in _MAIN:
        found = body.css(selector)
        if len(found) == 1 and len(found[0].text().split()) >= max(5, words * 0.1):
            return found[0]
    return None


def _holds_most(node: LexborNode, words: int) -> bool:
    """A page whose frame element holds most of the text uses the wrong element; keep it."""
    return len(node.text().split()) > words * 0.6


def _drop(nodes: list[LexborNode]) -> None:
    for node in nodes:
        node.decompose()


def _without_links_and_pictures(node: LexborNode) -> None:
    """Links keep their words and pictures their description: addresses are noise to search."""
    for picture in node.css("img, picture, source"):
        words = " ".join((picture.attributes.get("alt") or "").split())
        if words and picture.tag == "img":
            picture.replace_with(f" {words} ")
        else:
            picture.decompose()
    node.unwrap_tags(["a", "font", "span"])


def _markdown(node: LexborNode) -> str:
    if node.tag in {"html", "body"}:
        return _extract(node.inner_html or "")
    return _extract(node.html or "")


def _extract(fragment: str) -> str:
    if not fragment.strip():
        return ""
    page = f'<!DOCTYPE html><html><head><meta charset="utf-8"></head><body>{fragment}</body></html>'
    return engine.to_markdown(page.encode(), "text/html").content.strip()


def _language(tree: LexborHTMLParser) -> str | None:
    root = tree.css_first("html")
    value = (root.attributes.get("lang") or "").strip() if root else ""
    return value if re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*", value) else None


def _canonical(tree: LexborHTMLParser) -> str | None:
    link = tree.css_first("link[rel='canonical']")
    return (link.attributes.get("href") or "").strip() or None if link else None


def _meta(tree: LexborHTMLParser, name: str) -> str:
    node = tree.css_first(f"meta[name='{name}']")
    return (node.attributes.get("content") or "") if node else ""
