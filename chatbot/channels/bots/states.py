"""What is told about a bot, and what a manager is given."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from chatbot.channels.accounts import ConnectedChannel
from chatbot.channels.events import InboundEvent
from chatbot.core.safe_http import SafeHttp

BotState = Literal["starting", "running", "backing_off", "dead", "stopped"]
"""`dead`: the provider refused, and nothing is tried until the credentials change or a test finds all well."""


@dataclass(frozen=True, slots=True)
class BotReport:
    """How a bot lives.

    Attributes:
        since: when it came into this state.
        alive_at: when its provider last answered; None: not yet under this manager.
        update_at: when something was last stored.
        lag_seconds: between the provider's time of the newest update and its being stored.
        last_error: in words for an operator, without secrets.
        retry_seconds: of one that backs off, how long it pauses.
        errors: how often it crashed since the last report that was recorded; `rate_limited` and `restarts` likewise.
    """

    tenant_id: UUID
    channel_id: UUID
    channel_type: str
    state: BotState
    since: datetime
    alive_at: datetime | None = None
    update_at: datetime | None = None
    lag_seconds: float | None = None
    last_error: str | None = None
    last_error_at: datetime | None = None
    retry_seconds: float | None = None
    errors: int = 0
    rate_limited: int = 0
    restarts: int = 0


@dataclass(frozen=True, slots=True)
class Parts:
    """What a manager works with.

    Attributes:
        accounts: the channels whose provider is to be listened to, and by this manager alone (a lease sees to it).
            Asked every few seconds: a new one is begun, a changed account is begun anew, a missing one is stopped. When
            it fails the present bots go on.
        cursor: how far a channel has come, as `take` stored it; asked at each begin.
        take: stores events with the cursor after them, both or neither.
        record: stores reports; asked for changes of state at once, for the rest every few seconds. A failure is logged
            and the next report holds what this one did.
        http: with as many connections to one host as there are bots.
    """

    accounts: Callable[[], Awaitable[Sequence[ConnectedChannel]]]
    cursor: Callable[[ConnectedChannel], Awaitable[Mapping[str, Any]]]
    take: Callable[[ConnectedChannel, Sequence[InboundEvent], Mapping[str, Any]], Awaitable[None]]
    record: Callable[[Sequence[BotReport]], Awaitable[None]]
    http: SafeHttp


@dataclass(frozen=True, slots=True)
class Pace:
    """Times of a manager, in seconds.

    Attributes:
        first_pause: after a first crash; doubled after each further one up to `longest_pause`.
        stable: a bot that ran so long begins again with the first pause.
        silence: a bot whose provider said nothing for so long is taken for crashed; mail servers may be quiet for 29
            minutes.
        begins_per_second: of all bots together, also after a crash of all at once.
        refresh: between two looks at the accounts.
        report: between two reports of what is no change of state.
        gather: changes of state within so long are one report.
    """

    first_pause: float = 1.0
    longest_pause: float = 300.0
    stable: float = 300.0
    silence: float = 2100.0
    begins_per_second: float = 20.0
    refresh: float = 5.0
    report: float = 15.0
    gather: float = 0.25
