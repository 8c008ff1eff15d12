"""Bases of request and response bodies."""

from datetime import datetime
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, PlainSerializer

from chatbot.core.clock import rfc3339

Item = TypeVar("Item")
Timestamp = Annotated[datetime, PlainSerializer(rfc3339, return_type=str, when_used="json")]


class RequestBody(BaseModel):
    """A request's body: unknown fields are refused, so that nobody sets `tenant_id` by surprise."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class ResponseBody(BaseModel):
    """A response's body, readable from ORM rows."""

    model_config = ConfigDict(from_attributes=True)


class Page(ResponseBody, Generic[Item]):
    """One page of a list; `next_cursor` is null on the last."""

    items: list[Item]
    next_cursor: str | None = None
