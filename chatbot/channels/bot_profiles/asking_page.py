"""Which page asks, where its browser does not say so: none sends `Origin` with a GET to the page's own origin."""

from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from chatbot.core.settings import Settings

_PORTS = {"http": 80, "https": 443}


def asking_origin(connection: HTTPConnection, settings: Settings) -> str | None:
    """Return the origin of the page that asks, in lower case: by `Origin`, else by `Referer`, else the request's own.

    Returns:
        None when a header names no web page.
    """
    said = connection.headers.get("origin")
    if said is not None:
        return said.lower()
    referer = connection.headers.get("referer")
    return _origin_of(_own_address(connection, settings) if referer is None else referer)


def _own_address(connection: HTTPConnection, settings: Settings) -> str:
    """The address that was asked, with the scheme that a trusted proxy tells, or that `PUBLIC_URL` has for it."""
    host = connection.headers.get("host", "")
    public = urlsplit(settings.orchestrator_public_url)
    # Not `connection.url`, which cannot be built from every `Host` that somebody may send.
    scheme = public.scheme if public.netloc.lower() == host.lower() else connection.scope["scheme"]
    return f"{scheme}://{host}"


def _origin_of(address: str) -> str | None:
    try:
        parts = urlsplit(address.strip())
        scheme, host, port = parts.scheme, parts.hostname, parts.port
    except ValueError:  # a port that is none
        return None
    if scheme not in _PORTS or not host:
        return None
    named = f"[{host}]" if ":" in host else host
    return f"{scheme}://{named}" if port in (None, _PORTS[scheme]) else f"{scheme}://{named}:{port}"
