"""Talks to a bot in the terminal: streams its answers from a running platform and shows their sources."""

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID, uuid4

import aiohttp
import orjson
import typer
from rich.console import Console
from rich.markup import escape
from rich.text import Text

from chatbot.core.errors import InvalidInput
from chatbot.core.settings import ConfigurationError, load_settings
from chatbot.identity.cli_token import mint
from chatbot.identity.subject import Role

_QUIET_SECONDS = 60
_RIGHT_TO_LEFT = ("\u0590", "\u08ff")
_NOTES = {
    "human": "A person has taken over this conversation.",
    "closed": "This conversation is closed; the next message begins a new one.",
}


class ChatFailed(Exception):
    """The platform did not answer as hoped; the message says what to do."""


@dataclass(slots=True)
class Talk:
    """A conversation with one bot on one platform."""

    url: str
    token: str
    tenant_id: UUID
    brand_id: UUID | None
    locale: str | None
    conversation_id: str | None = None
    minted: bool = False

    async def ask(self, http: aiohttp.ClientSession, message: str) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """Send a message and give the events of its answer as `(name, data)`.

        Raises:
            ChatFailed: nothing runs there, or the platform refuses.
        """
        headers = {"Authorization": f"Bearer {self.token}", "X-Tenant-Id": str(self.tenant_id)}
        try:
            async with http.post(f"{self.url}/v1/chat/stream", json=self._body(message), headers=headers) as response:
                if response.status == 401 and self.minted:
                    raise ChatFailed(
                        f"{self.url} knows no tenant {self.tenant_id}, or signs with other keys than this shell's "
                        "settings (status 401): `GET /admin/tenants` lists the tenants"
                    )
                if response.status != 200:
                    raise ChatFailed(await _refusal(response))
                async for name, data in _events(response):
                    self.conversation_id = data.get("conversation_id") or self.conversation_id
                    yield name, data
        except aiohttp.ClientConnectorError:
            advice = "start one with `make run`, or name another by --api-url"
            raise ChatFailed(f"no platform answers at {self.url}; {advice}") from None
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ChatFailed(f"the connection to {self.url} broke: {error or 'no answer in time'}") from None

    def _body(self, message: str) -> dict[str, Any]:
        body = {
            "message": message,
            "client_message_id": str(uuid4()),
            "conversation_id": self.conversation_id,
            "brand_id": str(self.brand_id) if self.brand_id else None,
            "locale": self.locale,
        }
        return {name: value for name, value in body.items() if value is not None}


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


def main() -> None:
    """Run the command line."""
    app()


@app.command()
def chat(
    tenant_id: Annotated[UUID, typer.Option(help="The tenant whose bot you talk to.")],
    brand_id: Annotated[UUID | None, typer.Option(help="The brand; by default the tenant's first.")] = None,
    message: Annotated[str | None, typer.Option(help="Ask this one question and leave.")] = None,
    api_url: Annotated[str, typer.Option(help="The orchestrator; by default the one on this machine.")] = "",
    api_token: Annotated[str, typer.Option(help="API key or token; by default minted from this machine's keys.")] = "",
    locale: Annotated[str | None, typer.Option(help="Your language, such as fa or es-MX.")] = None,
) -> None:
    """Talk to a bot. An empty line or Ctrl+D ends the conversation."""
    try:
        settings = load_settings()
        url = (api_url or f"http://{settings.host}:{settings.orchestrator_port}").rstrip("/")
        token = api_token or mint(settings, Role.AGENT, tenant_id)
        talk = Talk(url, token, tenant_id, brand_id, locale, minted=not api_token)
        asyncio.run(_talk(talk, message, Console(highlight=False)))
    except (ConfigurationError, ChatFailed, InvalidInput) as error:
        sys.stderr.write(f"chat: {error}\n")
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


async def _talk(talk: Talk, message: str | None, console: Console) -> None:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None, sock_read=_QUIET_SECONDS)) as http:
        if message is not None:
            await answer(talk, http, message, console)
            return
        console.print("[dim]Ask your question; an empty line ends the conversation.[/dim]")
        while question := await asyncio.to_thread(_question, console):
            await answer(talk, http, question, console)


def _question(console: Console) -> str:
    try:
        return console.input("\n[bold]> [/bold]").strip()
    except EOFError:
        return ""


async def answer(talk: Talk, http: aiohttp.ClientSession, message: str, console: Console) -> None:
    """Print an answer as it comes, then its sources."""
    done: dict[str, Any] | None = None
    async for name, data in talk.ask(http, message):
        if name == "delta":
            console.print(Text(data["text"]), end="", soft_wrap=True)
        elif name == "done":
            done = data
        elif name == "error":
            raise ChatFailed(str(data.get("detail", "the turn failed")))
    if done is None:
        raise ChatFailed("the platform stopped before the answer was complete; ask again")
    if done["mode"] == "closed":
        talk.conversation_id = None
    console.print()
    _print_sources(done, console)


def _print_sources(done: dict[str, Any], console: Console) -> None:
    if done["mode"] in _NOTES:
        console.print(f"[yellow]{_NOTES[done['mode']]}[/yellow]")
    for citation in done["citations"]:
        line = f"[{citation['index']}] {_isolated(citation['title'])}"
        console.print(
            f"[cyan]{escape(line)}[/cyan]" + (f" [dim]{escape(citation['url'])}[/dim]" if citation["url"] else "")
        )
    if done["handoff_offered"]:
        console.print("[dim](a person or a ticket was offered)[/dim]")


def _isolated(text: str) -> str:
    """Right-to-left text between isolates, so that the number and address beside it keep their places."""
    first, last = _RIGHT_TO_LEFT
    return f"\u2068{text}\u2069" if any(first <= letter <= last for letter in text) else text


async def _refusal(response: aiohttp.ClientResponse) -> str:
    body = await response.read()
    try:
        return f"{orjson.loads(body)['detail']} (status {response.status})"
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return f"what runs at {response.url.origin()} is not this platform (status {response.status})"


async def _events(response: aiohttp.ClientResponse) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """The server-sent events of a response."""
    name = ""
    async for raw in response.content:
        line = raw.decode().rstrip("\n")
        if line.startswith("event: "):
            name = line[7:]
        elif line.startswith("data: "):
            yield name, orjson.loads(line[6:])
