"""Twilio's proof: HMAC-SHA1 over the public address and the sorted form.

Twilio signs the address with or without its port, depending on the product, so both are tried. A JSON body is
signed by its digest in the query. No time is signed: only the ids of events keep a replay from counting twice.
"""

from collections.abc import Iterator
from urllib.parse import parse_qs, parse_qsl, urlsplit, urlunsplit

from chatbot.channels.contract import Refused, Request
from chatbot.channels.signing import header, hmac_base64, require_same, sha256_hex
from chatbot.core.crypto import same

_PORTS = {"http": 80, "https": 443}
_MAX_FIELDS = 1000


def verify(auth_token: str, request: Request) -> None:
    """Raise `Refused` unless the request is signed with the account's token."""
    given = header(request, "x-twilio-signature")
    if not auth_token:
        raise Refused("wrong")
    signed = _signed_form(request)
    matches = [
        same(given, hmac_base64(auth_token, (url + signed).encode(), algorithm="sha1")) for url in _urls(request.url)
    ]
    if not any(matches):
        raise Refused("wrong")


def form(request: Request) -> list[tuple[str, str]]:
    """Return the fields of a form, in order, empty ones too. Raises `ValueError` when there are too many."""
    raw = request.body.decode("utf-8", "replace")
    return parse_qsl(raw, keep_blank_values=True, max_num_fields=_MAX_FIELDS)


def is_json(request: Request) -> bool:
    """Whether the body says that it is JSON."""
    return "json" in request.headers.get("content-type", "").lower()


def _signed_form(request: Request) -> str:
    """What is signed after the address."""
    digests = parse_qs(urlsplit(request.url).query).get("bodySHA256", [])
    if is_json(request):
        if not digests:
            raise Refused("missing")
        require_same(digests[0].lower(), sha256_hex(request.body))
        return ""
    try:
        fields = form(request)
    except ValueError:
        raise Refused("wrong") from None
    return "".join(name + value for name, value in sorted(set(fields)))


def _urls(url: str) -> Iterator[str]:
    """The address as it is, without its port and with the port of its scheme."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    login = parts.netloc[: len(parts.netloc) - len(host)]
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    port = parts.port or _PORTS.get(parts.scheme, 443)
    yield url
    for netloc in (name, f"{name}:{port}"):
        yield urlunsplit(parts._replace(netloc=login + netloc))
