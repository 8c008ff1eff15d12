"""Places among the downloads of whoever calls, kept until a file is sent: for endpoints that give files."""

from collections.abc import AsyncIterator

from starlette.requests import HTTPConnection

from chatbot.core.downloads import DownloadPlaces
from chatbot.identity.dependencies import Caller, ChatCaller, Operator
from chatbot.identity.subject import Subject


async def place_of_chat(connection: HTTPConnection, subject: ChatCaller) -> AsyncIterator[None]:
    """Of a visitor, or of a program that speaks for visitors."""
    async with _places(connection).take(_name(subject)):
        yield


async def place_of_caller(connection: HTTPConnection, caller: Caller) -> AsyncIterator[None]:
    """Of a person of the console, or of a program."""
    async with _places(connection).take(_name(caller)):
        yield


async def place_of_operator(connection: HTTPConnection, caller: Operator) -> AsyncIterator[None]:
    """Of a person of the console, or of a program, where operators' tokens count too."""
    async with _places(connection).take(_name(caller)):
        yield


def _places(connection: HTTPConnection) -> DownloadPlaces:
    places: DownloadPlaces = connection.app.state.download_places
    return places


def _name(subject: Subject) -> str:
    return f"{subject.role.value} {subject.tenant_id} {subject.name}"
