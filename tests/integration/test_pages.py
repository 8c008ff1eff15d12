"""Pages as browsers get them: compressed, known again, deep links, what they may load; and without a build."""

import gzip
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from chatbot.apps.orchestrator import create_app
from chatbot.apps.pages import endpoints
from chatbot.apps.runtime import Runtime
from chatbot.identity.demo import DEMO_TENANT_ID

pytestmark = pytest.mark.integration

PAGE, SCRIPT = b"<!doctype html><title>Console</title>", b"export const answer = 42;" * 40


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    """Front ends as their builds leave them; the widget's script in both compressed forms."""
    for name, content in {
        "frontend/index.html": PAGE,
        "frontend/assets/app-1a2b.js": SCRIPT,
        "frontend/assets/app-1a2b.js.gz": gzip.compress(SCRIPT, mtime=0),
        "frontend/.built": b"",
        "widget/embed.js": SCRIPT,
        "widget/embed.js.br": b"in brotli's form",
        "widget/embed.js.gz": gzip.compress(SCRIPT, mtime=0),
        "widget/widget/chat-3c4d.js": SCRIPT,
        "widget/sdk/index.js": SCRIPT,
        "secret.txt": b"outside",
    }.items():
        file = tmp_path / "dist" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return tmp_path / "dist"


@pytest.fixture
def app(runtime: Runtime, dist: Path, monkeypatch: pytest.MonkeyPatch) -> FastAPI:
    """An orchestrator beside those builds."""
    monkeypatch.setattr(endpoints, "built", lambda name: dist / name)
    return create_app(runtime)


@pytest.fixture
async def plain(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client that takes no compression and follows nothing."""
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://xin.test", headers={"Accept-Encoding": "identity"}
    ) as opened:
        yield opened


async def test_the_first_page_is_the_console(plain: httpx.AsyncClient) -> None:
    for path in ("/", "/console"):
        answer = await plain.get(path)
        assert (answer.status_code, answer.headers["location"]) == (307, "/console/")


@pytest.mark.parametrize("path", ["", "index.html", "inbox", "knowledge/0199c7a2/passages", "settings/"])
async def test_deep_links_lead_to_the_consoles_page(plain: httpx.AsyncClient, path: str) -> None:
    answer = await plain.get(f"/console/{path}")
    assert (answer.status_code, answer.content) == (200, PAGE)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"


async def test_the_console_loads_nothing_from_elsewhere(plain: httpx.AsyncClient) -> None:
    headers = (await plain.get("/console/")).headers
    rules = dict(rule.split(" ", 1) for rule in headers["content-security-policy"].split("; "))
    assert rules["default-src"] == "'self'"
    assert "unsafe" not in headers["content-security-policy"]
    assert "script-src" not in rules
    assert rules["connect-src"] == "'self' http://127.0.0.1:8080 ws://127.0.0.1:8080"
    assert rules["frame-ancestors"] == rules["object-src"] == rules["base-uri"] == "'none'"
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"


async def test_hashed_files_are_kept_for_a_year(plain: httpx.AsyncClient) -> None:
    for path in ("/console/assets/app-1a2b.js", "/widget/chat-3c4d.js"):
        answer = await plain.get(path)
        assert answer.content == SCRIPT
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-type"] == "text/javascript; charset=utf-8"


async def test_pages_of_others_may_load_the_widget(plain: httpx.AsyncClient) -> None:
    for path in ("/embed.js", "/widget/chat-3c4d.js"):
        headers = (await plain.get(path, headers={"Origin": "https://shop.example"})).headers
        assert headers["cross-origin-resource-policy"] == "cross-origin"
        assert headers["access-control-allow-origin"] == "*"
    assert (await plain.get("/embed.js")).headers["cache-control"] == "public, max-age=300"


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [("gzip, deflate, br", "br"), ("gzip", "gzip"), ("br;q=0, gzip;q=0.5", "gzip"), ("identity", None), ("", None)],
)
async def test_the_best_form_that_is_accepted(plain: httpx.AsyncClient, accepted: str, encoding: str | None) -> None:
    async with plain.stream("GET", "/embed.js", headers={"Accept-Encoding": accepted}) as answer:
        body = b"".join([part async for part in answer.aiter_raw()])
    assert answer.headers.get("content-encoding") == encoding
    assert answer.headers["vary"] == "Accept-Encoding"
    assert body == {"br": b"in brotli's form", "gzip": gzip.compress(SCRIPT, mtime=0), None: SCRIPT}[encoding]


async def test_a_file_that_the_client_has_is_not_sent_again(plain: httpx.AsyncClient, dist: Path) -> None:
    first = await plain.get("/embed.js")
    tag = first.headers["etag"]
    for header in (tag, f'W/{tag}, "other"'):
        again = await plain.get("/embed.js", headers={"If-None-Match": header})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
    (dist / "widget/embed.js").write_bytes(b"built anew")
    anew = await plain.get("/embed.js", headers={"If-None-Match": tag, "Accept-Encoding": "br"})
    assert (anew.status_code, anew.content) == (200, b"built anew"), "the compressed form is of the build before"
    head = await plain.head("/embed.js")
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/console/assets/none.js", "/console/.built", "/console/..%2fsecret.txt", "/console/%2e%2e/secret.txt",
        "/widget/..%2f..%2fsecret.txt", "/widget/%00.js", "/widget/none.js", "/widget/..%2fsdk/index.js",
        "/sdk/index.js", "/console//etc/passwd.txt",
    ],
)  # fmt: skip
async def test_nothing_else_is_served(plain: httpx.AsyncClient, path: str) -> None:
    answer = await plain.get(path)
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


async def test_a_link_that_leads_outside_is_not_followed(plain: httpx.AsyncClient, dist: Path) -> None:
    (dist / "frontend/leak.txt").symlink_to(dist / "secret.txt")
    assert (await plain.get("/console/leak.txt")).status_code == 404


async def test_without_a_build_the_platform_says_so(plain: httpx.AsyncClient, dist: Path) -> None:
    (dist / "frontend/index.html").unlink()
    for path in ("/", "/console", "/console/inbox"):
        answer = await plain.get(path)
        assert answer.status_code == 503
        assert "make frontends" in answer.text
    assert (await plain.get("/health/live")).status_code == 200


@pytest.mark.parametrize(("lang", "direction"), [("en", "ltr"), ("fa", "rtl"), ("xx", "ltr"), ("<b>", "ltr")])
async def test_the_demo_page_has_the_documented_snippet(plain: httpx.AsyncClient, lang: str, direction: str) -> None:
    answer = await plain.get("/demo", params={"lang": lang})
    assert f'dir="{direction}"' in answer.text
    [tag] = re.findall(r"<script [^>]+></script>", answer.text)
    assert 'src="http://xin.test/embed.js"' in tag
    assert f'data-tenant="{DEMO_TENANT_ID}"' in tag
    nonce = re.findall(r'nonce="([^"]+)"', answer.text)
    assert len(set(nonce)) == 1
    assert f"'nonce-{nonce[0]}'" in answer.headers["content-security-policy"]
    assert "<b>" not in answer.text


async def test_there_is_no_demo_outside_development(runtime: Runtime) -> None:
    runtime.settings.environment = "production"
    transport = httpx.ASGITransport(create_app(runtime))
    async with httpx.AsyncClient(transport=transport, base_url="http://xin.test") as client:
        assert (await client.get("/demo")).status_code == 404


async def test_the_documentation_needs_nothing_from_elsewhere(plain: httpx.AsyncClient) -> None:
    page = await plain.get("/docs")
    assert not re.findall(r"https?://", page.text)
    for path in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        answer = await plain.get(path)
        assert answer.status_code == 200, path
        assert len(answer.content) > 100
    assert "script-src" not in page.headers["content-security-policy"]
    assert (await plain.get("/docs/none.js")).status_code == 404
