"""The refresh token as a cookie that no script can read, for the console.

A cookie goes along by itself, so a page of somebody else might have it sent. Against that: `SameSite=Strict`, a header
that no page of another origin may set without being allowed to (CORS does not name it), and the `Origin` of the page.
"""

from urllib.parse import urlsplit

from fastapi import Response
from starlette.requests import HTTPConnection

from chatbot.core.errors import Forbidden
from chatbot.core.settings import Settings

NAME = "xin_refresh"
HEADER = "X-Xin-Console"
_PATH = "/auth"
_PORTS = {"http": 80, "https": 443}


def set_cookie(connection: HTTPConnection, response: Response, token: str, max_age: int) -> None:
    """Put a refresh token into the answer's cookie, for `max_age` seconds."""
    response.set_cookie(
        NAME, token, max_age=max_age, path=_PATH, secure=is_secure(connection), httponly=True, samesite="strict"
    )


def clear_cookie(connection: HTTPConnection, response: Response) -> None:
    """Take the cookie away."""
    response.delete_cookie(NAME, path=_PATH, secure=is_secure(connection), httponly=True, samesite="strict")


def require_console(connection: HTTPConnection) -> None:
    """Refuse a request with the cookie that a page of the console's own origin did not send.

    Raises:
        Forbidden: the header is missing, or the origin is another one.
    """
    if connection.headers.get(HEADER) != "1":
        raise Forbidden(f"{HEADER}: must be 1 where the cookie is used")
    if not _same_origin(connection):
        raise Forbidden("Origin: must be the one of this server where the cookie is used")


def _same_origin(connection: HTTPConnection) -> bool:
    origin = urlsplit(connection.headers.get("origin", ""))
    own = urlsplit(f"//{connection.headers.get('host', '')}")
    secure = connection.url.scheme == "https"
    # A proxy that ends TLS without saying so makes our side http; the other way round there is no good reason.
    if origin.scheme not in _PORTS or (secure and origin.scheme != "https"):
        return False
    try:
        own_port = own.port or _PORTS[origin.scheme]
        return (origin.hostname, origin.port or _PORTS[origin.scheme]) == (own.hostname, own_port)
    except ValueError:  # a port that is none
        return False


def is_secure(connection: HTTPConnection) -> bool:
    """Whether cookies are for encrypted connections only: over https, and outside development in any case."""
    settings: Settings = connection.app.state.settings
    return connection.url.scheme == "https" or settings.environment != "development"
