"""Bodies of canned replies."""

import re
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, StringConstraints

from chatbot.core.schemas import Like, RequestBody, ResponseBody, Timestamp
from chatbot.dialogue.schemas import Locale

Shortcut = Annotated[
    str, StringConstraints(min_length=1, max_length=60), Like(r"^[^\s/]+$", "without spaces and without /")
]
Title = Annotated[str, StringConstraints(min_length=1, max_length=200)]

VARIABLES = ("visitor.name", "agent.name", "brand.name", "conversation.id")
"""What a text may hold in double braces."""

_IN_BRACES = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")


def _fillable(text: str) -> str:
    """A visitor must not read braces that nothing fills in."""
    for name in _IN_BRACES.findall(text):
        if name not in VARIABLES:
            known = ", ".join(f"{{{{{each}}}}}" for each in VARIABLES)
            raise ValueError(f"{{{{{name}}}}} is not filled in; what can be is {known}")
    return text


Text = Annotated[str, StringConstraints(min_length=1, max_length=8_000), AfterValidator(_fillable)]


class NewCannedReply(RequestBody):
    """A canned reply of a brand, or (null) of all brands.

    `{{visitor.name}}`, `{{agent.name}}`, `{{brand.name}}` and `{{conversation.id}}` in the text stand for what they
    name; others are refused.
    """

    tenant_id: UUID
    brand_id: UUID | None = None
    shortcut: Shortcut
    title: Title
    text: Text
    language: Locale | None = None


class ChangeCannedReply(RequestBody):
    """What is to be changed; what is left out stays."""

    shortcut: Shortcut | None = None
    title: Title | None = None
    text: Text | None = None
    language: Locale | None = None


class CannedReplyView(ResponseBody):
    """A canned reply."""

    id: UUID
    tenant_id: UUID
    brand_id: UUID | None
    shortcut: str
    title: str
    text: str
    language: str | None
    updated_at: Timestamp


class RenderIn(RequestBody):
    """For which conversation."""

    conversation_id: UUID


class RenderedText(ResponseBody):
    """A text, ready to be sent."""

    text: str
