"""The edge and the frontend in real Caddy: who gets which path, with which headers."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from chatbot.apps.orchestrator import create_app
from chatbot.apps.pages import endpoints
from chatbot.apps.runtime import Runtime
from chatbot.apps.serving import bind, serve
from tests.deploy.program import GATEWAY_PATHS, orchestrator_paths
from tests.deploy.rendered import ROOT
from tests.edge import caddy, running_caddy
from tests.ports import free_port

_CONFIGS = ("Caddyfile", "frontend.Caddyfile")
_COMPARED = (
    "content-security-policy", "cache-control", "x-frame-options", "referrer-policy", "cross-origin-opener-policy",
    "cross-origin-resource-policy", "access-control-allow-origin", "x-content-type-options",
)  # fmt: skip
_GATEWAY = {"GATEWAY_PUBLIC_URL": "https://gateway.example.com", "GATEWAY_SOCKET_URL": "wss://gateway.example.com"}


@pytest.mark.parametrize("config", _CONFIGS)
def test_caddy_accepts_it(config: str, tmp_path: Path) -> None:
    file = ROOT / "deploy/caddy" / config
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), **_GATEWAY}
    for command in (["validate", "--adapter", "caddyfile", "--config"], ["fmt", "--diff"]):
        done = subprocess.run(
            [caddy(), *command, str(file)], capture_output=True, text=True, check=False, env=environment, timeout=240
        )
        assert done.returncode == 0, done.stderr


class Named:
    """A process that answers every path with its name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.down = False

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/ws" and request.headers.get("Upgrade") == "websocket":
            socket = web.WebSocketResponse()
            await socket.prepare(request)
            await socket.send_str(self.name)
            await socket.close()
            return socket
        return web.Response(text=self.name, status=503 if self.down else 200)


@pytest.fixture
async def edge(data_dir: Path) -> AsyncIterator[aiohttp.ClientSession]:
    """The edge over TLS with its own certificate, before three processes that say who they are."""
    caddy()
    variables = {"EDGE_SITE": f"https://localhost:{(port := free_port())}", "EDGE_ADMIN": f"localhost:{free_port()}"}
    variables["EDGE_INNER_PORT"] = str(free_port())
    servers = []
    for name, setting in (("orchestrator", "ORCHESTRATORS"), ("gateway", "GATEWAYS"), ("frontend", "FRONTENDS")):
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", Named(name).answer)
        server = TestServer(app)
        await server.start_server()
        servers.append(server)
        variables[f"EDGE_{setting}"] = f"127.0.0.1:{server.port}"
    url = f"https://localhost:{port}"
    connector = aiohttp.TCPConnector(ssl=False)
    async with running_caddy("Caddyfile", variables, data_dir, ready=f"{url}/health"):
        async with aiohttp.ClientSession(url, connector=connector) as http:
            yield http
    for server in servers:
        await server.close()


async def test_each_path_goes_to_its_process_and_inner_ones_to_nobody(edge: aiohttp.ClientSession) -> None:
    pages = ("/console", "/embed.js", "/widget")
    wanted = {path: "frontend" if path.startswith(pages) else "orchestrator" for path in orchestrator_paths()}
    wanted |= {path: "gateway" for path in GATEWAY_PATHS if path.startswith(("/web", "/ws"))}
    wanted |= {path: "" for path in wanted if path.startswith(("/metrics", "/internal"))}
    assert "" in wanted.values()
    for path, process in wanted.items():
        async with edge.get(path.replace("{", "").replace("}", "").replace(":path", "")) as answer:
            assert answer.status == (200 if process else 404), path
            assert (await answer.text()) == process, path
            assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    async with edge.ws_connect("/ws") as socket:
        assert (await socket.receive_str()) == "gateway"


async def test_the_log_keeps_no_token(edge: aiohttp.ClientSession, data_dir: Path) -> None:
    for _ in range(2):
        async with edge.get("/api/logs?token=a-log-token&lines=3", headers={"Authorization": "Bearer s3cret"}):
            pass
    async with asyncio.timeout(60):
        while "lines=3" not in (text := (data_dir / "caddy.log").read_text()):  # noqa: ASYNC110 - a file
            await asyncio.sleep(0.05)
    assert "a-log-token" not in text
    assert "s3cret" not in text
    assert "token=REDACTED" in text


@pytest.fixture
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A console and a widget as they are built, for the orchestrator and for Caddy."""
    files = {
        "console/index.html": "<!doctype html><title>Xin</title>" + " " * 600,
        "console/assets/app-1a2b.js": "console.log(1)",
        "console/favicon.svg": "<svg/>",
        "widget/embed.js": "1",
        "widget/embed.js.map": "{}",
        "widget/widget/chat-3c4d.js": "2",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    folders = {"frontend": tmp_path / "console", "widget": tmp_path / "widget"}
    monkeypatch.setattr(endpoints, "built", folders.__getitem__)
    return tmp_path


async def test_pages_of_caddy_are_those_of_the_orchestrator(runtime: Runtime, pages: Path, data_dir: Path) -> None:
    settings = runtime.settings.model_copy(update={"gateway_public_url": _GATEWAY["GATEWAY_PUBLIC_URL"]})
    app = create_app(replace(runtime, settings=settings))
    listener = bind("127.0.0.1", 0, variable="ORCHESTRATOR_PORT")
    ours, port = f"http://127.0.0.1:{listener.getsockname()[1]}", free_port()
    theirs = f"http://127.0.0.1:{port}"
    variables = {**_GATEWAY, "FRONTEND_PORT": str(port), "FRONTEND_PAGES": str(pages)}
    asked = (
        "/", "/console", "/console/", "/console/inbox/123", "/console/index.html", "/console/assets/app-1a2b.js",
        "/console/favicon.svg", "/console/nothing.js", "/embed.js", "/embed.js.map", "/widget/chat-3c4d.js",
        "/widget/nothing.js",
    )  # fmt: skip
    async with (
        serve(app, listener),
        running_caddy("frontend.Caddyfile", variables, data_dir, ready=f"{theirs}/health"),
        aiohttp.ClientSession() as http,
    ):
        for path in asked:
            one, other = [await _answer(http, url + path) for url in (ours, theirs)]
            assert one == other, path
        for path in ("/console/assets/nothing-9f9f.js", "/widget/nothing-9f9f.js"):
            for url in (ours, theirs):
                async with http.get(url + path) as answer:
                    assert answer.status == 404
                    assert "max-age" not in answer.headers.get("Cache-Control", ""), (
                        f"{url}{path} is not there for a year"
                    )
        for path in ("/health", "/health/ready", "/metrics"):
            async with http.get(theirs + path) as answer:
                assert answer.status == 200
        async with http.get(f"{theirs}/admin/tenants") as answer:
            assert answer.status == 404


async def _answer(http: aiohttp.ClientSession, url: str) -> tuple[object, ...]:
    async with http.get(url, allow_redirects=False) as answer:
        found = answer.status == 200
        headers = {name: answer.headers.get(name) for name in _COMPARED} if found else {}
        body = await answer.text() if found else answer.headers.get("Location")
        return answer.status, headers, body
