"""The frames of `/ws`, each a JSON object told apart by its `type`. docs/WEBSOCKET.md shows every one."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, TypeAdapter, ValidationError

from chatbot.core.errors import BadRequest, FieldError, InvalidInput
from chatbot.core.schemas import RequestBody, ResponseBody, Timestamp
from chatbot.dialogue.handoff.schemas import Reason, Standing
from chatbot.dialogue.schemas import Author, ChatAnswer, Citation, ClientId, Locale, Message, StoredMessage

_MAX_SEQ = 2**62
Credential = Annotated[str, Field(min_length=1, max_length=8192)]
Seq = Annotated[int, Field(ge=0, le=_MAX_SEQ)]


class Hello(RequestBody):
    """The first frame: who connects, and from where on."""

    type: Literal["hello"]
    token: Credential
    conversation_id: UUID | None = None
    after_seq: Seq = 0
    brand_id: UUID | None = None
    locale: Locale | None = None


class Say(RequestBody):
    """A message; the first one begins a conversation where `hello` named none."""

    type: Literal["message"]
    text: Message
    client_message_id: ClientId | None = None


class HasRead(RequestBody):
    """The visitor has seen the messages up to this number."""

    type: Literal["read"]
    seq: Seq


class SetTyping(RequestBody):
    """Whether the visitor is writing."""

    type: Literal["typing"]
    active: bool


class AskForPerson(RequestBody):
    """A person is asked for; where `hello` named no conversation, one begins."""

    type: Literal["handoff"]
    reason: Reason | None = None


class CloseIt(RequestBody):
    """The conversation is to be closed."""

    type: Literal["close"]


class Refresh(RequestBody):
    """A fresh token of the same visitor."""

    type: Literal["refresh"]
    token: Credential


class Ping(RequestBody):
    """Asks for a `pong`."""

    type: Literal["ping"]


ClientFrame = Annotated[
    Hello | Say | HasRead | SetTyping | AskForPerson | CloseIt | Refresh | Ping, Field(discriminator="type")
]


class Ready(ResponseBody):
    """The answer to `hello`; what the client has missed follows."""

    type: Literal["ready"] = "ready"
    conversation_id: UUID | None
    seq: int
    read_seq: int
    state: str
    expires_at: Timestamp | None


class MessageFrame(StoredMessage):
    """A message; of a reply that is still streaming, what it says so far."""

    type: Literal["message"] = "message"


class DeltaFrame(ResponseBody):
    """Text to be added to a streaming reply."""

    type: Literal["delta"] = "delta"
    message_id: UUID
    text: str


class CitationFrame(Citation):
    """A source to be added to a streaming reply."""

    type: Literal["citation"] = "citation"
    message_id: UUID


class DoneFrame(ChatAnswer):
    """A reply is finished: this is all of it."""

    type: Literal["done"] = "done"


class ErrorFrame(ResponseBody):
    """Something went wrong: with a frame of the client's, or with a reply (`message_id`)."""

    type: Literal["error"] = "error"
    problem: dict[str, Any]
    client_message_id: str | None = None
    message_id: UUID | None = None


class Typing(ResponseBody):
    """Whether the bot is making a reply, or a person (`name`) is writing one."""

    type: Literal["typing"] = "typing"
    role: Literal["bot", "agent"] = "bot"
    active: bool
    name: Annotated[str | None, Field(exclude_if=lambda name: name is None)] = None


class Read(ResponseBody):
    """How far the visitor has read, on whichever page; or the agents."""

    type: Literal["read"] = "read"
    role: Literal["visitor", "agent"] = "visitor"
    seq: int


class StateFrame(Standing):
    """Where the conversation stands: after `ready`, and whenever that changes."""

    type: Literal["state"] = "state"
    conversation_id: UUID


class AgentJoined(ResponseBody):
    """A person has taken over the conversation."""

    type: Literal["agent_joined"] = "agent_joined"
    agent: Author


class AgentLeft(ResponseBody):
    """The person has the conversation no more."""

    type: Literal["agent_left"] = "agent_left"


class CsatRequest(ResponseBody):
    """The conversation was closed: the visitor may say what it was like."""

    type: Literal["csat_request"] = "csat_request"


class Refreshed(ResponseBody):
    """The fresh token holds."""

    type: Literal["refreshed"] = "refreshed"
    expires_at: Timestamp | None


class Pong(ResponseBody):
    """The answer to `ping`."""

    type: Literal["pong"] = "pong"


class Shutdown(ResponseBody):
    """The process stops: come back after so many milliseconds; another one goes on."""

    type: Literal["shutdown"] = "shutdown"
    retry_after_ms: int


ServerFrame = Annotated[
    Ready
    | MessageFrame
    | DeltaFrame
    | CitationFrame
    | DoneFrame
    | ErrorFrame
    | Typing
    | Read
    | StateFrame
    | AgentJoined
    | AgentLeft
    | CsatRequest
    | Refreshed
    | Pong
    | Shutdown,
    Field(discriminator="type"),
]

_CLIENT: TypeAdapter[ClientFrame] = TypeAdapter(ClientFrame)


def read_frame(text: str | None) -> ClientFrame:
    """Read a client's frame; None stands for a binary one.

    Raises:
        BadRequest: it is not JSON.
        InvalidInput: it is no frame of ours; the fields are named.
    """
    if text is None:
        raise BadRequest("frames are text, not binary")
    try:
        return _CLIENT.validate_json(text)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
    if problems[0]["type"] == "json_invalid":
        raise BadRequest("the frame is not JSON")
    # The first part of a place is the frame's own type, by which it was told apart.
    fields = [FieldError(".".join(map(str, item["loc"][1:])) or "type", item["msg"]) for item in problems]
    raise InvalidInput("; ".join(f"{field.field}: {field.message}" for field in fields[:5]), errors=fields)
