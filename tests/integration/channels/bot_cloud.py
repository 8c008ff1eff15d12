"""A Bot API on this machine for several bots: it holds polls open, keeps what was sent, and revokes tokens."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer


@dataclass
class CloudBot:
    """One bot as its provider sees it."""

    token: str
    updates: list[dict[str, Any]] = field(default_factory=list)
    confirmed: int = 0
    sent: list[dict[str, Any]] = field(default_factory=list)
    hook: dict[str, Any] = field(default_factory=dict)
    hooks: list[dict[str, Any]] = field(default_factory=list)
    broken: bool = False
    pollers: int = 0
    most_pollers: int = 0

    def write(self, text: str, chat: int = 77) -> None:
        """Let a customer write."""
        number = len(self.updates) + 1000
        who = {"id": chat, "first_name": "Ada", "language_code": "en"}
        message = {
            "message_id": number,
            "chat": {"id": chat, "type": "private"},
            "from": who,
            "text": text,
            "date": 1_760_000_000,
        }
        self.updates.append({"update_id": number, "message": message})


class BotCloud:
    """The Bot API."""

    def __init__(self) -> None:
        self.bots: dict[str, CloudBot] = {}
        self.url = ""
        self.news = asyncio.Condition()

    def bot(self, number: int, secret: str = "first") -> CloudBot:
        """Make a bot."""
        return self.bots.setdefault(str(number), CloudBot(f"{number}:{secret}"))

    def credentials(self, bot: CloudBot, mode: str = "polling") -> dict[str, str]:
        """What an operator enters."""
        return {"bot_token": bot.token, "api_url": self.url, "mode": mode}

    async def changed(self) -> None:
        """Wake the polls that wait."""
        async with self.news:
            self.news.notify_all()

    async def serve(self, request: web.Request) -> web.Response:
        """Answer a call."""
        token, method, body = request.match_info["token"], request.match_info["method"], await request.json()
        bot = self.bots.get(token.partition(":")[0])
        if bot is None or bot.token != token:
            return _refused(401, "Unauthorized")
        if bot.broken:
            return _refused(502, "Bad Gateway")
        answers: dict[str, Callable[[CloudBot, dict[str, Any]], Any]] = {
            "getMe": lambda bot, _: {"id": int(token.partition(":")[0]), "username": f"bot{token[:3]}"},
            "getWebhookInfo": lambda bot, _: bot.hook or {"url": ""},
            "sendMessage": _send,
            "setWebhook": _hook,
            "deleteWebhook": _hook,
        }
        if method == "getUpdates":
            return await self._updates(bot, token, body)
        answer = answers.get(method, lambda bot, body: True)
        return web.json_response({"ok": True, "result": answer(bot, body)})

    async def _updates(self, bot: CloudBot, token: str, body: dict[str, Any]) -> web.Response:
        offset = body.get("offset", 0)
        bot.pollers += 1
        bot.most_pollers = max(bot.most_pollers, bot.pollers)
        try:
            bot.confirmed = max(bot.confirmed, offset)

            def waiting() -> list[dict[str, Any]]:
                return [update for update in bot.updates if update["update_id"] >= bot.confirmed]

            async with self.news:
                with suppress(TimeoutError):
                    async with asyncio.timeout(body["timeout"]):
                        await self.news.wait_for(lambda: waiting() or bot.broken or bot.token != token)
            if bot.token != token:
                return _refused(401, "Unauthorized")
            return web.json_response({"ok": True, "result": waiting()})
        finally:
            bot.pollers -= 1


def _send(bot: CloudBot, body: dict[str, Any]) -> dict[str, Any]:
    bot.sent.append(body)
    return {"message_id": 5000 + len(bot.sent)}


def _hook(bot: CloudBot, body: dict[str, Any]) -> bool:
    bot.hook = body
    bot.hooks.append(body)
    return True


def _refused(code: int, description: str) -> web.Response:
    return web.json_response({"ok": False, "error_code": code, "description": description}, status=code)


@asynccontextmanager
async def bot_cloud() -> AsyncIterator[BotCloud]:
    """Serve a Bot API."""
    cloud = BotCloud()
    app = web.Application()
    app.router.add_post("/bot{token}/{method}", cloud.serve)
    async with TestServer(app, handler_cancellation=True) as server:
        cloud.url = f"http://127.0.0.1:{server.port}"
        yield cloud
