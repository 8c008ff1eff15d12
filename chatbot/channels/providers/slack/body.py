"""Slack's request bodies: JSON, a form, or a form with JSON in its `payload`."""

from typing import Any
from urllib.parse import parse_qsl

from chatbot.channels.contract import Malformed, Request
from chatbot.channels.reading import json_body


def body_of(request: Request) -> dict[str, Any]:
    """Return what a request carries, as one object; raises `Malformed`."""
    if request.body.lstrip()[:1] in (b"{", b"["):
        return json_body(request.body)
    try:
        form = dict(parse_qsl(request.body.decode(), keep_blank_values=True, max_num_fields=100))
    except ValueError as error:
        raise Malformed("body: neither JSON nor a form") from error
    if "payload" in form:
        return json_body(form["payload"], "payload")
    if not form:
        raise Malformed("body: empty")
    return form
