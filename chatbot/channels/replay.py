"""Requests as their providers make them, signed anew: for replays of recorded payloads, and for tests."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import orjson

from chatbot.channels.contract import Malformed, Request
from chatbot.channels.signing import (
    hmac_base64,
    hmac_hex,
    sha256_hex,
    standard_webhook_headers,
    timestamped_signature,
)

_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"

Proof = Callable[[str, Request, int], Request]


def signed_again(channel_type: str, secret: str, url: str, payload: bytes, now: float) -> Request:
    """Return the POST by which a channel's provider would tell a payload now.

    Args:
        secret: what the provider proves itself with: the channel's own secret (`web`, `webhook`, `telegram`, `bale`),
            the app secret (Meta's), the signing secret (Slack), the channel secret (LINE), the auth token (Twilio,
            Viber).
        url: the public address of the webhook, over which Twilio signs.
        payload: the body as it was; of Twilio a form, or a JSON object of its fields.
        now: Unix seconds.

    Raises:
        KeyError: payloads of this type of channel cannot be signed again.
        Malformed: the payload is not what such a provider sends.
    """
    unsigned = Request("POST", url, {"content-type": _JSON}, payload)
    return PROOFS[channel_type](secret, unsigned, int(now))


def types_of(payload: bytes) -> tuple[str, ...]:
    """Return the types of channel whose provider sends payloads of this shape, the likelier first; empty: none does.

    Telegram's and Bale's look the same, and so do those of a program's own on both of its webhooks.
    """
    try:
        given = orjson.loads(payload) if payload.lstrip()[:1] == b"{" else _fields(payload)
    except (ValueError, Malformed):
        return ()
    return next((types for types, looks_so in _SHAPES if looks_so(given)), ())


def _is_metas(kind: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda given: given.get("object") == kind and "entry" in given


def _is_slacks(given: Mapping[str, Any]) -> bool:
    """An event as JSON, a pressed button or a command as a form."""
    told = given.get("type")
    is_event = isinstance(told, str) and (isinstance(given.get("event"), dict) or told == "url_verification")
    return is_event or str(given.get("payload", "")).startswith("{") or {"command", "team_id"} <= given.keys()


_SHAPES: tuple[tuple[tuple[str, ...], Callable[[Mapping[str, Any]], bool]], ...] = (
    (("telegram", "bale"), lambda given: "update_id" in given),
    (("whatsapp",), _is_metas("whatsapp_business_account")),
    (("messenger",), _is_metas("page")),
    (("instagram",), _is_metas("instagram")),
    (("line",), lambda given: "destination" in given and isinstance(given.get("events"), list)),
    (("viber",), lambda given: isinstance(given.get("event"), str) and "message_token" in given),
    (("sms",), lambda given: bool({"MessageSid", "SmsSid"} & given.keys())),
    (("web", "webhook"), lambda given: "session_id" in given),
    (("slack",), _is_slacks),
)


def _with(request: Request, **headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return replace(request, headers={**request.headers, **named})


def _timestamped(secret: str, request: Request, now: int) -> Request:
    return _with(request, x_timestamp=str(now), x_signature=timestamped_signature(secret, str(now), request.body))


def _standard(secret: str, request: Request, now: int) -> Request:
    """The id is the body's own, so that the same payload is the same message however often it is replayed."""
    message_id = f"msg_{sha256_hex(request.body)[:32]}"
    return _with(request, **standard_webhook_headers([secret], message_id, now, request.body))


def _in_header(secret: str, request: Request, now: int) -> Request:  # noqa: ARG001 - no time is signed
    return _with(request, x_telegram_bot_api_secret_token=secret)


def _in_path(secret: str, request: Request, now: int) -> Request:  # noqa: ARG001
    return replace(request, url=f"{request.url}/{quote(secret, safe='')}", token=secret)


def _metas(secret: str, request: Request, now: int) -> Request:  # noqa: ARG001
    return _with(request, x_hub_signature_256=f"sha256={hmac_hex(secret, request.body)}")


def _slacks(secret: str, request: Request, now: int) -> Request:
    """Slack posts events as JSON, pressed buttons and commands as forms."""
    kind = _JSON if request.body.lstrip()[:1] == b"{" else _FORM
    signature = hmac_hex(secret, b":".join((b"v0", str(now).encode(), request.body)))
    return _with(request, content_type=kind, x_slack_request_timestamp=str(now), x_slack_signature=f"v0={signature}")


def _lines(secret: str, request: Request, now: int) -> Request:  # noqa: ARG001
    return _with(request, x_line_signature=hmac_base64(secret, request.body))


def _vibers(secret: str, request: Request, now: int) -> Request:  # noqa: ARG001
    return _with(request, x_viber_content_signature=hmac_hex(secret, request.body))


def _twilios(secret: str, request: Request, now: int) -> Request:  # noqa: ARG001
    fields = _fields(request.body)
    signed = request.url + "".join(name + value for name, value in sorted(fields.items()))
    signature = hmac_base64(secret, signed.encode(), algorithm="sha1")
    made = replace(request, body=urlencode(fields).encode())
    return _with(made, content_type=_FORM, x_twilio_signature=signature)


def _fields(payload: bytes) -> dict[str, str]:
    """The fields of a form, or of a JSON object that holds one."""
    try:
        if payload.lstrip()[:1] == b"{":
            given = orjson.loads(payload)
            return {name: value if isinstance(value, str) else str(value) for name, value in given.items()}
        return dict(parse_qsl(payload.decode(), keep_blank_values=True, strict_parsing=True))
    except ValueError as error:
        raise Malformed("payload: neither a form nor a JSON object of its fields") from error


PROOFS: dict[str, Proof] = {
    "web": _timestamped,
    "webhook": _standard,
    "telegram": _in_header,
    "bale": _in_path,
    "whatsapp": _metas,
    "messenger": _metas,
    "instagram": _metas,
    "slack": _slacks,
    "line": _lines,
    "viber": _vibers,
    "sms": _twilios,
}
"""By type of channel; what is not here has no webhook, or one whose proof depends on a service behind it."""
