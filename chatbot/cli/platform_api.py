"""The admin API of a running platform, for commands that work with it from outside."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Annotated, Any

import aiohttp
import typer

from chatbot.apps.boot import fail, failing_in_words
from chatbot.core.settings import ConfigurationError, Settings, load_settings
from chatbot.identity.cli_token import mint

ApiUrl = Annotated[str | None, typer.Option(help="The platform's address; by default the one on this machine.")]
ApiToken = Annotated[
    str | None, typer.Option(help="An admin token or API key; by default one is made on the platform's machine.")
]


class Refused(Exception):
    """The platform answered a call with a problem; the message is its detail."""


class PlatformApi:
    """Calls a running platform with the caller's credential."""

    def __init__(self, url: str | None, token: str | None) -> None:
        settings = platform_settings() if url is None or token is None else None
        self.url = (url or _local_url(settings)).rstrip("/")
        self._token = token or _local_token(settings)

    def open(self) -> aiohttp.ClientSession:
        """Open a client with the caller's credential."""
        headers = {"Authorization": f"Bearer {self._token}"}
        connector = aiohttp.TCPConnector(keepalive_timeout=2)  # the server drops idle connections after 5 s
        limits = aiohttp.ClientTimeout(total=300, sock_connect=5)
        return aiohttp.ClientSession(headers=headers, timeout=limits, connector=connector)

    async def get(self, http: aiohttp.ClientSession, path: str, **params: str) -> Any:
        """Read a resource.

        Raises:
            Refused: the platform does not give it.
        """
        async with http.get(self.url + path, params=params) as answer:
            return await answered(answer)

    async def all(self, http: aiohttp.ClientSession, path: str, **params: str) -> AsyncIterator[dict[str, Any]]:
        """Give every item of a list, a page at a time; raises as `get`."""
        cursor: str | None = ""
        while cursor is not None:
            page = await self.get(http, path, **params, **({"cursor": cursor} if cursor else {}))
            for item in page["items"]:
                yield item
            cursor = page["next_cursor"]

    async def post(self, http: aiohttp.ClientSession, path: str, body: object) -> Any:
        """Post a JSON body.

        Raises:
            Refused: the platform does not take it.
        """
        async with http.post(self.url + path, json=body) as answer:
            return await answered(answer)


async def answered(answer: aiohttp.ClientResponse) -> Any:
    """Return the body of an answer.

    Raises:
        Refused: it is a problem.
    """
    try:
        body = await answer.json(content_type=None)
    except ValueError:
        body = {}
    if answer.status < 400:
        return body
    raise Refused(str(body.get("detail") or f"the platform answered with status {answer.status}"))


def run(work: Coroutine[Any, Any, int]) -> None:
    """Run a command's coroutine and exit with its code; what goes wrong is said in one sentence."""
    with failing_in_words():
        try:
            code = asyncio.run(work)
        except Refused as error:
            fail(str(error))
        except aiohttp.ClientConnectionError as error:
            fail(f"the platform does not answer ({error}); start it with `make run`, or name it with --api-url")
        except TimeoutError:
            fail("the platform did not answer in time")
    raise SystemExit(code)


def platform_settings() -> Settings:
    """Return the settings of this machine; wrong ones end the command in words."""
    try:
        return load_settings()
    except ConfigurationError as error:
        fail(str(error))


def _local_url(settings: Settings | None) -> str:
    assert settings is not None
    return f"http://127.0.0.1:{settings.orchestrator_port}"


def _local_token(settings: Settings | None) -> str:
    assert settings is not None
    with failing_in_words():
        return mint(settings)
