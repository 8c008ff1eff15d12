"""What services share: a secret in the path or basic authentication, JSON bodies, receipts."""

import base64
import binascii
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol, runtime_checkable

import orjson

from chatbot.channels.contract import Account, Malformed, Refused, Request
from chatbot.channels.events import InboundEvent, Receipt, ReceiptStatus, Unsupported
from chatbot.channels.providers.email.credentials import EmailCredentials
from chatbot.channels.providers.email.mail import message_ids
from chatbot.channels.providers.email.threads import thread_in
from chatbot.channels.reading import require_shallow
from chatbot.channels.signing import require_same

EmailAccount = Account[EmailCredentials]


class Service(Protocol):
    """A mail service: stateless."""

    def verify(self, account: EmailAccount, request: Request, now: float) -> None:
        """Raise `Refused` unless the request is the service's."""

    def parse(self, account: EmailAccount, request: Request) -> list[InboundEvent]:
        """Read a verified request. Raises `Malformed`."""

    def missing(self, credentials: EmailCredentials) -> str:
        """Name what the operator has yet to give; empty when nothing is missing."""


@runtime_checkable
class SignsNoBody(Protocol):
    """A mail service whose signature does not cover what it says."""

    def once(self, request: Request) -> str:
        """Return what of a verified request's proof may come once."""


def require_token_or_login(account: EmailAccount, request: Request) -> None:
    """Prove a request of a service that signs nothing: our secret in the path, or basic authentication."""
    if request.token:
        require_same(request.token, account.secret)
        return
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        raise Refused("missing")
    password = account.credentials.webhook_password
    expected = f"{account.credentials.webhook_username}:{password.get_secret_value()}" if password else ""
    try:
        given = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, ValueError):
        raise Refused("wrong") from None
    require_same(given, expected)


def json_body(body: bytes) -> Any:  # noqa: ANN401
    """Read a JSON body; raises `Malformed`."""
    try:
        found = orjson.loads(body)
    except ValueError as error:
        raise Malformed("the body is not JSON") from error
    require_shallow([found])
    return found


def json_object(body: bytes) -> dict[str, Any]:
    """Read a JSON object; raises `Malformed`."""
    value = json_body(body)
    if not isinstance(value, dict):
        raise Malformed("the body is not a JSON object")
    return value


def objects(value: object) -> list[dict[str, Any]]:
    """The objects of a list that may be anything."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def word(value: object) -> str:
    """A string that may be anything; numbers are written out."""
    return value if isinstance(value, str) else str(value) if isinstance(value, int | float) else ""


def pairs(value: object) -> Iterable[tuple[str, str]]:
    """Headers given as a list of pairs."""
    items = value if isinstance(value, list) else []
    return [(word(item[0]), word(item[1])) for item in items if isinstance(item, list) and len(item) == 2]


def unix_time(value: object) -> datetime | None:
    """A time in Unix seconds that may be anything."""
    try:
        return datetime.fromtimestamp(float(word(value)), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def receipt(
    event_id: str,
    name: str,
    statuses: Mapping[str, ReceiptStatus],
    raw: Mapping[str, Any],
    *,
    message_id: str,
    reason: str = "",
    at: datetime | None = None,
) -> InboundEvent:
    """An event about a mail that we sent: a receipt, or kept as it came when it says nothing about delivery."""
    bare = next(iter(message_ids(message_id)), message_id.strip())
    status = statuses.get(name)
    if status is None or not bare:
        return InboundEvent(event_id, thread_in(bare), Unsupported(name or "event"), at=at, raw=raw)
    words = reason[:300] if status == "failed" else ""
    return InboundEvent(event_id, thread_in(bare), Receipt(status, (bare,), reason=words), at=at)
