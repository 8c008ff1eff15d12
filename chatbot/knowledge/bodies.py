"""Reads the bodies of requests that carry knowledge: multipart with a file, or JSON. Only after the caller is known."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import orjson
from fastapi import Request
from pydantic import ValidationError
from starlette.datastructures import FormData, UploadFile

from chatbot.core.errors import BadRequest, InvalidInput, TooLarge, UnsupportedType
from chatbot.core.schemas import RequestBody
from chatbot.core.web import invalid_input_of
from chatbot.knowledge.content import Content, content_of_file

Body = TypeVar("Body", bound=RequestBody)
_MAX_FIELDS = 60
MAX_JSON_BYTES = 10_000_000
"""Of a body that is JSON: it is read while all else waits. Whatever is larger comes as a file."""


def is_multipart(request: Request) -> bool:
    """Whether the request says that it carries a form with a file."""
    return request.headers.get("content-type", "").lower().startswith("multipart/form-data")


@asynccontextmanager
async def uploaded(request: Request, model: type[Body], *, limit: int) -> AsyncIterator[tuple[Body, Content]]:
    """Read a multipart body: the fields as `model`, the part `file` as content, spooled to disk above 1 MB.

    Raises:
        UnsupportedType: not multipart.
        InvalidInput: a field is missing, unknown or wrong; the file is empty.
        FileTooLarge: above `limit` bytes.
    """
    if not is_multipart(request):
        raise UnsupportedType("body: must be multipart/form-data with a part `file`")
    async with request.form(max_files=1, max_fields=_MAX_FIELDS) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise InvalidInput.field("file", "is needed, as a file with its name")
        labels = validated(model, _fields(form))
        yield labels, await content_of_file(file.file, file.filename or "file", file.content_type, limit=limit)


async def json_body(request: Request, model: type[Body]) -> Body:
    """Read a JSON body.

    Raises:
        BadRequest: not JSON, or not UTF-8.
        TooLarge: above `MAX_JSON_BYTES`.
        InvalidInput: a field is missing, unknown or wrong, or there are too many values.
    """
    try:
        given = orjson.loads(await _bytes(request, MAX_JSON_BYTES))
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"body: is not JSON in UTF-8 ({error})") from None
    return validated(model, given)


async def _bytes(request: Request, limit: int) -> bytes:
    """Read a body, and no more of one that is above a limit."""
    length, body = request.headers.get("content-length", ""), bytearray()
    error = TooLarge(f"body: JSON of at most {limit // 1_000_000} MB is accepted; send more as a file in a form")
    if length.isdigit() and int(length) > limit:
        raise error
    async for part in request.stream():
        body += part
        if len(body) > limit:
            raise error
    return bytes(body)


def validated(model: type[Body], given: Any) -> Body:
    """Check values against a model. Raises `InvalidInput` with each wrong field."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise invalid_input_of(error, given) from None


def _fields(form: FormData) -> dict[str, Any]:
    """The form's text fields; `tags` may come several times, an empty field is one that was left out."""
    fields: dict[str, Any] = {}
    for name, value in form.multi_items():
        if name == "file" or value == "":
            continue
        if name == "tags":
            fields.setdefault(name, []).append(value)
        elif name in fields:
            raise InvalidInput.field(name, "is given twice")
        else:
            fields[name] = value
    return fields
