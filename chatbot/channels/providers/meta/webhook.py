"""The webhook that all channels of Meta share: its signature, its question at registration, its envelope."""

import json
from dataclasses import dataclass
from typing import NoReturn

from chatbot.channels.contract import Answer, Malformed, Refused, Request
from chatbot.channels.providers.meta.reading import Json, text
from chatbot.channels.reading import require_shallow
from chatbot.channels.signing import header, hmac_hex, require_same
from chatbot.core.crypto import same

_MAX_CHALLENGE = 1_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One account's part of a POST."""

    id: str
    where: str
    body: Json

    def objects(self, name: str) -> list[Json]:
        """Return a list of objects of the entry; absent is empty. Raises `Malformed`."""
        found = self.body.get(name, [])
        if not isinstance(found, list):
            raise Malformed(f"{self.where}.{name}: not a list")
        for place, one in enumerate(found):
            if not isinstance(one, dict):
                raise Malformed(f"{self.where}.{name}[{place}]: not an object")
        return found


@dataclass(frozen=True, slots=True)
class Payload:
    """A POST: what kind of thing it tells about, and of which accounts."""

    about: str
    entries: tuple[Entry, ...]


def verify(app_secret: str, request: Request) -> None:
    """Check the signature over the raw bytes; it covers no time, so replays are only stopped by event ids.

    Raises:
        Refused: missing or wrong; always, while no secret is set.
    """
    given = header(request, "x-hub-signature-256")
    if not app_secret:
        raise Refused("wrong")
    require_same(given, f"sha256={hmac_hex(app_secret, request.body)}")


def handshake(verify_token: str, request: Request) -> Answer | None:
    """Echo the challenge of a GET that names our verify token; 403 for another, None for a request without question."""
    if request.method != "GET" or "hub.mode" not in request.query:
        return None
    given = request.query.get("hub.verify_token", "")
    if request.query["hub.mode"] != "subscribe" or not verify_token or not same(given, verify_token):
        return Answer(b"the verify token is not this channel's", status=403)
    return Answer(request.query.get("hub.challenge", "")[:_MAX_CHALLENGE].encode())


def read(body: bytes) -> Payload:
    """Read the envelope. Raises `Malformed`."""
    try:
        payload = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        # Not orjson: it refuses the half surrogates that Meta's escaped texts may hold, and with them the whole batch.
        raise Malformed("body: not JSON") from None
    if not isinstance(payload, dict):
        raise Malformed("body: not an object")
    require_shallow(payload)
    about, entries = payload.get("object"), payload.get("entry")
    if not isinstance(about, str):
        raise Malformed("object: not a text")
    if not isinstance(entries, list):
        raise Malformed("entry: not a list")
    return Payload(about, tuple(_entry(one, place) for place, one in enumerate(entries)))


def _entry(entry: object, place: int) -> Entry:
    if not isinstance(entry, dict):
        raise Malformed(f"entry[{place}]: not an object")
    return Entry(text(entry.get("id")), f"entry[{place}]", entry)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)
