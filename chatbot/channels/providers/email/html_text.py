"""The text of an HTML mail: lines where the reader sees lines, no style, no quoted mail."""

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

MAX_HTML_CHARS = 2_000_000
# The parser's time grows with the square of the depth: this many take a fraction of a second.
MAX_TAGS = 10_000
_BREAK = "\ue000"
_NEVER_TEXT = "head, style, script, title, noscript, template, object, embed, iframe, svg, [hidden]"
_QUOTED = (
    ".gmail_quote, blockquote[type='cite'], .moz-cite-prefix, .yahoo_quoted, .protonmail_quote, .tutanota_quote, "
    "#divRplyFwdMsg, #divRplyFwdMsg ~ *, #appendonsend, #appendonsend ~ *, #mail-editor-reference-message-container, "
    ".gmail_signature, .moz-signature, #Signature, .protonmail_signature_block"
)
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all", re.IGNORECASE)
_BLOCKS = (
    "address, article, blockquote, dd, div, dl, dt, footer, h1, h2, h3, h4, h5, h6, header, hr, ol, p, pre, section, "
    "table, tr, ul"
)
_APART = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "blockquote", "pre"})
_MAX_LINK = 300


def html_text(html: str) -> str:
    """Return what a reader sees, without quoted mails unless there is nothing else."""
    body = _visible(html)
    if body is None:
        return ""
    _drop(body.css(_QUOTED))
    return _lines(body) or _everything(html)


def _everything(html: str) -> str:
    body = _visible(html)
    return _lines(body) if body is not None else ""


def _visible(html: str) -> LexborNode | None:
    cut = "<".join(html[:MAX_HTML_CHARS].replace(_BREAK, "").split("<", MAX_TAGS)[:MAX_TAGS])
    body = LexborHTMLParser(cut).body
    if body is None:
        return None
    _drop(body.css(_NEVER_TEXT))
    _drop([node for node in body.css("[style]") if _HIDDEN.search(node.attributes.get("style") or "")])
    return body


def _drop(nodes: list[LexborNode]) -> None:
    for node in nodes:
        node.decompose()


def _lines(body: LexborNode) -> str:
    """Mark line ends before the text is taken: line breaks of the source mean nothing in HTML."""
    for node in body.css("br"):
        node.replace_with(_BREAK)
    for node in body.css("td, th"):
        node.insert_after(" ")
    for node in body.css("li"):
        node.insert_before(f"{_BREAK}- ")
    for node in body.css("a[href]"):
        _write_link(node)
    for node in body.css(_BLOCKS):
        mark = _BREAK * 2 if node.tag in _APART else _BREAK
        node.insert_before(mark)
        node.insert_after(mark)
    text = re.sub(r"[\s\xa0]+", " ", body.text(deep=True))
    lines = "\n".join(line.strip() for line in text.split(_BREAK))
    return re.sub(r"\n{3,}", "\n\n", lines).strip()


def _write_link(node: LexborNode) -> None:
    """A link's address follows its words where they differ: it may be what the customer asks about."""
    href = (node.attributes.get("href") or "").strip()
    words = node.text(deep=True).replace(_BREAK, " ").strip()
    if words and href.startswith(("http://", "https://")) and len(href) <= _MAX_LINK and words.rstrip("/") not in href:
        node.insert_after(f" ({href})")
