"""Bases of request and response bodies."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, PlainSerializer, model_validator
from pydantic_core import CoreSchema, core_schema

from chatbot.core.clock import rfc3339

MAX_DEPTH = 32
MAX_VALUES = 20_000
"""Items of lists and members of objects that a body may hold, all together."""

_MAX_INTEGER = 2**63 - 1

Item = TypeVar("Item")
Timestamp = Annotated[datetime, PlainSerializer(rfc3339, return_type=str, when_used="json")]


@dataclass(frozen=True)
class Like:
    """A text of a form (in an `Annotated`): OpenAPI gets the pattern, whoever errs gets words.

    Attributes:
        pattern: a regular expression for the whole text, understood by Python and ECMAScript alike.
        words: what follows "must be".
    """

    pattern: str
    words: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), "pattern": self.pattern}

    def _checked(self, text: str) -> str:
        if not re.fullmatch(self.pattern, text):
            raise ValueError(f"must be {self.words}")
        return text


HttpAddress = Like(r"^[Hh][Tt][Tt][Pp][Ss]?://.+$", "an address that begins with https:// or http://")
PictureAddress = Like(r"^https://[^\s\"'<>\\]+$", "an address that begins with https://")


class RequestBody(BaseModel):
    """A request's body: unknown fields are refused, so that nobody sets `tenant_id` by surprise.

    So is what JSON readers accept and PostgreSQL cannot store, wherever it stands in the body: U+0000, half
    surrogates, NaN and infinity, integers above 64 bits, nesting deeper than 32. And so is a body of more than 20,000
    values, before they are looked at: each of them costs time that everybody waits for.
    """

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    @model_validator(mode="before")
    @classmethod
    def _storable(cls, data: Any) -> Any:
        if not _is_storable(data):
            raise ValueError(_what_is_not(data))
        return data


class ResponseBody(BaseModel):
    """A response's body, readable from ORM rows."""

    model_config = ConfigDict(from_attributes=True)


class Page(ResponseBody, Generic[Item]):
    """One page of a list; `next_cursor` is null on the last."""

    items: list[Item]
    next_cursor: str | None = None


def inline_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return a body's JSON schema without references, for an operation that reads its body itself (`openapi_extra`)."""
    schema = model.model_json_schema()
    definitions = schema.pop("$defs", {})

    def inline(part: Any) -> Any:
        if isinstance(part, list):
            return [inline(item) for item in part]
        if not isinstance(part, dict):
            return part
        if "$ref" in part:
            return inline(definitions[part["$ref"].rpartition("/")[2]])
        return {key: inline(value) for key, value in part.items()}

    inlined: dict[str, Any] = inline(schema)
    return inlined


def _is_storable(data: Any) -> bool:
    """Whether all of a body can be stored; looks at no more than `MAX_VALUES`. Raises `ValueError` when it has more."""
    level, count = [data], 0
    for _ in range(MAX_DEPTH + 1):
        below: list[Any] = []
        for value in level:
            if isinstance(value, dict | list):
                count += len(value)
                if count > MAX_VALUES:
                    raise ValueError(f"body: must hold at most {MAX_VALUES:,} values")
                below.extend(value)
                if isinstance(value, dict):
                    below.extend(value.values())
            elif _not_storable(value):
                return False
        level = below
    return not level


def _what_is_not(data: Any) -> str:
    """Say where in a body the first value stands that cannot be stored, and why."""
    for path, depth, value in _walk(data):
        reason = f"is nested deeper than {MAX_DEPTH}" if depth > MAX_DEPTH else _not_storable(value)
        if reason:
            return f"{path or 'body'}: {reason}"
    raise AssertionError("all of it can be stored")


def _walk(data: Any) -> Iterator[tuple[str, int, Any]]:
    """Give `(path, depth, value)` of every value and key, without recursion and without going on below `MAX_DEPTH`."""
    waiting: list[tuple[str, int, Any]] = [("", 0, data)]
    while waiting:
        path, depth, value = waiting.pop()
        yield path, depth, value
        if isinstance(value, dict):
            for key, inner in value.items():
                yield path, depth, key
                waiting.append((f"{path}.{key}" if path else str(key), depth + 1, inner))
        elif isinstance(value, list):
            waiting.extend((f"{path}.{index}", depth + 1, inner) for index, inner in enumerate(value))


def _not_storable(value: object) -> str | None:
    if isinstance(value, str):
        if "\x00" in value:
            return "must not hold the character U+0000"
        return None if value.isascii() or _is_whole(value) else "must be valid Unicode, without half surrogates"
    if isinstance(value, float) and not math.isfinite(value):
        return "must be a finite number"
    if isinstance(value, int) and not -_MAX_INTEGER <= value <= _MAX_INTEGER:
        return "must fit into 64 bits"
    return None


def _is_whole(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
