"""The contract of a provider's adapter: pure parsing and rendering, and one call to the provider at a time."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Any, ClassVar, Generic, Literal, Protocol, TypeVar, runtime_checkable
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from chatbot.channels.events import InboundEvent, Media
from chatbot.channels.outgoing import Draft, Outgoing
from chatbot.core.safe_http import SafeHttp
from chatbot.core.schemas import HttpAddress, Like


class Credentials(BaseModel):
    """What an operator gives to connect a channel; `SecretStr` fields are never shown again.

    Attributes:
        only_checked: secrets that prove what comes in, and are sent nowhere.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    only_checked: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def way_of(cls, secret: str) -> list[str]:
        """Return the fields that say where a secret is sent, and how safely."""
        return [] if secret in cls.only_checked else [name for name in cls.model_fields if name.endswith("_url")]


BaseUrl = Annotated[
    str,
    Field(max_length=500),
    Like(
        r"^https?://[^\s/?#]+(/[^\s?#]*[^\s/?#])?$",
        "an address that begins with https:// or http://, without a query and without a / at its end",
    ),
]
"""Where a provider's API begins."""
OptionalAddress = Annotated[str, Field(max_length=2048), Like(r"^(https?://.+)?$", HttpAddress.words)]
PlainId = Annotated[str, Like(r"^[A-Za-z0-9_-]{1,64}$", "1 to 64 letters, digits, - and _")]
OptionalPlainId = Annotated[str, Like(r"^[A-Za-z0-9_-]{0,64}$", "at most 64 letters, digits, - and _")]

C = TypeVar("C", bound=Credentials)


@dataclass(frozen=True, slots=True)
class Account(Generic[C]):
    """A channel as its adapter sees it.

    Attributes:
        secret: our own secret of the channel (the token of its webhook, the key of our signatures).
        credentials: the provider's.
        webhook_url: the public address of this channel's webhook, as it was told to the provider.
        former: our secrets that were rotated and still count.
    """

    tenant_id: UUID
    channel_id: UUID
    secret: str
    credentials: C
    webhook_url: str = ""
    former: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Request:
    """An inbound request as it came.

    Attributes:
        url: the full public address with its query, made from configuration, not from the (proxied) request.
        headers: names in lower case.
        body: the raw bytes, which signatures are over.
        token: the last part of the path, where the provider has no header for a secret; empty otherwise.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    query: Mapping[str, str] = field(default_factory=dict)
    token: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a webhook answers."""

    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    status: int = 200


RefusalReason = Literal["missing", "wrong", "stale"]


class Refused(Exception):
    """A request that does not prove that it is the provider's: answered 401 and counted, with no other trace."""

    def __init__(self, reason: RefusalReason) -> None:
        super().__init__(f"signature {reason}")
        self.reason = reason


class Malformed(Exception):
    """A proven request that cannot be read: answered 400; the message says where, as `field: words`."""


Unit = Literal["characters", "utf16", "bytes"]
Streaming = Literal["none", "draft", "edit", "native"]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a channel can do.

    Attributes:
        max_length: of one message, in `unit`s.
        buttons: most buttons of one message; 0: none.
        stream: how a reply can be seen while it is made.
        draft_seconds: the least time between two `show` calls of one thread.
        per_second: messages per second for the whole account; `thread_per_second` for one thread.
        window_hours: how long after the customer's last message we may write; None: no such rule.
        answers_at_most: `(span, count)` pairs: so many automatic answers a conversation, and an address (`to` in the
            context of events), in a span, and no more, where two programs that do not know each other for machines
            could write to one another for ever.
        webhook: whether the provider calls us; `listens` whether the bot manager must hold a connection or poll.
    """

    max_length: int
    unit: Unit = "characters"
    buttons: int = 0
    edit: bool = False
    typing: bool = False
    stream: Streaming = "none"
    draft_seconds: float = 1.1
    per_second: float = 30.0
    thread_per_second: float = 1.0
    window_hours: int | None = None
    answers_at_most: tuple[tuple[timedelta, int], ...] = ()
    webhook: bool = True
    listens: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """One call to a provider, as it is stored in the outbox: JSON values only and no secret.

    Attributes:
        action: the provider's name of the call (`sendMessage`, `chat.postMessage`, `messages`).
        body: its parameters.
    """

    action: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sent:
    """Accepted by the provider. `message_id` is the provider's id, by which receipts name it; None when it has none."""

    message_id: str | None = None


@dataclass(frozen=True, slots=True)
class RetryAfter:
    """Not now. `seconds` is what the provider asked for, None to keep to our own schedule.

    `rate_limited` holds the whole account back for so long, not this thread only.
    """

    words: str
    seconds: float | None = None
    rate_limited: bool = False


@dataclass(frozen=True, slots=True)
class Permanent:
    """Never: a dead letter at once. `words` are the provider's own."""

    words: str


Outcome = Sent | RetryAfter | Permanent


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at when a channel is tested, in words for an operator."""

    name: str
    ok: bool
    words: str


class Provider(Protocol[C]):
    """An adapter. It holds no state and no connection; every method may run in any process."""

    channel_type: ClassVar[str]
    capabilities: ClassVar[Capabilities]
    credentials: type[C]

    def verify(self, account: Account[C], request: Request, now: float) -> None:
        """Raise `Refused` unless the raw request is the provider's; `now` is Unix time in seconds."""

    def listens(self, account: Account[C]) -> bool:
        """Whether the bot manager must hold a connection or poll for this account: some providers leave a choice."""

    def handshake(self, account: Account[C], request: Request) -> Answer | None:
        """Answer a provider's question whether we are there; None when the request is none.

        A GET is asked without `verify`, a POST after it.
        """

    def parse(self, account: Account[C], request: Request) -> list[InboundEvent]:
        """Read every event of a verified request, in order; pure.

        Raises:
            Malformed: the body is not what the provider sends.
        """

    def acknowledge(self, account: Account[C], events: Sequence[InboundEvent]) -> Answer:
        """What to answer once the events are stored."""

    def render(self, account: Account[C], message: Outgoing) -> list[Call]:
        """Give a message its form: one call for each piece, within the channel's limits; pure."""

    async def send(self, account: Account[C], call: Call, http: SafeHttp, *, delivery_id: UUID) -> Outcome:
        """Make one call. The same `delivery_id` again is the same call again: pass it on where a provider can tell.

        Raises:
            OutgoingFailed: the provider could not be reached or did not answer properly; it is tried again.
        """

    async def download(self, account: Account[C], media: Media, http: SafeHttp, *, max_bytes: int) -> bytes:
        """Get a customer's file from the provider.

        Raises:
            OutgoingFailed: as `send`; `ResponseTooLarge` above the limit.
        """

    async def register(self, account: Account[C], http: SafeHttp) -> None:
        """Tell the provider our webhook (or, for a listener, that there is none).

        Raises:
            ProviderRefused: with the provider's words.
        """

    async def unregister(self, account: Account[C], http: SafeHttp) -> None:
        """Take our webhook away; raises as `register`."""

    async def check(self, account: Account[C], http: SafeHttp) -> list[Finding]:
        """Look whether the credentials hold, the webhook is ours and what else the provider can tell; never raises."""


@runtime_checkable
class Typing(Protocol):
    """A provider that can show that somebody writes."""

    async def typing(self, account: Account[Any], thread: str, context: Mapping[str, Any], http: SafeHttp) -> None:
        """Show it for a few seconds; failures are the caller's to ignore."""


@runtime_checkable
class Completer(Protocol):
    """A provider whose webhook may only announce a message, which must then be asked for."""

    async def complete(self, account: Account[Any], event: InboundEvent, http: SafeHttp) -> InboundEvent:
        """Return a parsed event as it is to be stored: asked for where it was announced only, else the same.

        Raises:
            OutgoingFailed: not now; the webhook is answered with an error, so that the provider calls again.
        """


@runtime_checkable
class SingleUse(Protocol):
    """A provider whose proof may cover no body: then the proof itself must count once."""

    def once(self, account: Account[Any], request: Request) -> str:
        """Return what of a verified request's proof is good once; empty: nothing, for the proof covers the body."""


@runtime_checkable
class Streamer(Protocol):
    """A provider that can show a reply while it is made."""

    async def show(self, account: Account[Any], draft: Draft, http: SafeHttp) -> str | None:
        """Show what there is so far and return a handle for the next `show` and for `Outgoing.replaces`.

        None: nothing stays behind (a preview that goes by itself), so the final message is sent as a new one.
        """


Take = Callable[[Sequence[InboundEvent], Mapping[str, Any]], Awaitable[None]]
"""Store events and the cursor after them in one transaction; a repeated event is dropped by its id."""


@dataclass(frozen=True, slots=True)
class Link:
    """What a listener is given.

    Attributes:
        take: stores events with the cursor; returns when both are durable.
        alive: to be called whenever the provider has answered, also when there was nothing new.
        http: for calls and sockets.
        limited: to be called with the seconds to wait whenever the provider says that there were too many requests.
    """

    take: Take
    alive: Callable[[], None]
    http: SafeHttp
    limited: Callable[[float], None] = lambda _: None


@runtime_checkable
class Listener(Protocol):
    """A provider that must be asked, or listened to, for what happens."""

    async def listen(self, account: Account[Any], cursor: Mapping[str, Any], link: Link) -> None:
        """Listen until cancelled, from the cursor on.

        Raises:
            ProviderRefused: it makes no sense to go on (a revoked token); the bot is reported dead.
            Exception: anything else; the bot manager begins again with backoff.
        """
