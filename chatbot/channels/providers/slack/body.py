"""Slack's request bodies: JSON, a form, or a form with JSON in its `payload`."""

from typing import Any
from urllib.parse import parse_qsl

import orjson

from chatbot.channels.contract import Malformed, Request


def body_of(request: Request) -> dict[str, Any]:
    """Return what a request carries, as one object; raises `Malformed`."""
    if request.body.lstrip()[:1] in (b"{", b"["):
        return _object(request.body, "body")
    try:
        form = dict(parse_qsl(request.body.decode(), keep_blank_values=True, max_num_fields=100))
    except ValueError as error:
        raise Malformed("body: neither JSON nor a form") from error
    if "payload" in form:
        return _object(form["payload"], "payload")
    if not form:
        raise Malformed("body: empty")
    return form


def _object(text: bytes | str, where: str) -> dict[str, Any]:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"{where}: not JSON") from error
    if not isinstance(found, dict):
        raise Malformed(f"{where}: must be a JSON object")
    return found
