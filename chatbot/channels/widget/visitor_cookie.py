"""The cookie by which an anonymous visitor stays the same across reloads and tabs.

It says nothing that a script could read, and is good for one tenant only: the mark beside the visitor's id is made over
both. Over https it goes along to the platform from pages of other sites, kept apart for each of them (`Partitioned`).
"""

import base64
import binascii
import hmac
from uuid import UUID

from fastapi import Request, Response

from chatbot.identity.tokens import TokenKeys, visitor_mark

NAME = "xin_visitor"
PATH = "/v1/widget"
LIFETIME_SECONDS = 180 * 24 * 3600


def visitor_of(request: Request, keys: TokenKeys, tenant_id: UUID) -> UUID | None:
    """Return the visitor that the request's cookie is of; None where there is none, or it is another tenant's."""
    try:
        content = base64.urlsafe_b64decode(request.cookies.get(NAME, ""))
        visitor_id = UUID(bytes=content[:16])
    except (ValueError, binascii.Error):
        return None
    known = hmac.compare_digest(content[16:], visitor_mark(keys, tenant_id, visitor_id))
    return visitor_id if known else None


def remember(request: Request, response: Response, keys: TokenKeys, tenant_id: UUID, visitor_id: UUID) -> None:
    """Put the visitor into the answer's cookie, for half a year from now."""
    value = base64.urlsafe_b64encode(visitor_id.bytes + visitor_mark(keys, tenant_id, visitor_id)).decode()
    _set(request, response, value, LIFETIME_SECONDS)


def forget(request: Request, response: Response) -> None:
    """Take the cookie away: whoever uses the browser next is somebody else."""
    _set(request, response, "", 0)


def _set(request: Request, response: Response, value: str, seconds: int) -> None:
    reach = "SameSite=None; Secure; Partitioned" if request.url.scheme == "https" else "SameSite=Lax"
    # By hand, for the standard library knows of `Partitioned` from Python 3.14 on only.
    response.headers.append("Set-Cookie", f"{NAME}={value}; Path={PATH}; Max-Age={seconds}; HttpOnly; {reach}")
