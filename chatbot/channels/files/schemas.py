"""Bodies of the files' API."""

from typing import Annotated

from pydantic import Field

from chatbot.core.schemas import RequestBody
from chatbot.dialogue.schemas import MAX_MESSAGE_CHARS, ClientId


class FileLabels(RequestBody):
    """The fields beside a visitor's file: the client's own id of the message, and its text."""

    client_message_id: ClientId
    text: Annotated[str, Field(max_length=MAX_MESSAGE_CHARS)] = ""


class NoLabels(RequestBody):
    """The fields beside an agent's file: none."""
