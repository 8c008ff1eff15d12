"""What browsers are told beside our pages: what a page may load, and who may show it."""

from collections.abc import Mapping

from chatbot.channels.widget.snippet import socket_url
from chatbot.core.settings import Settings


def console_headers(settings: Settings) -> dict[str, str]:
    """Return the headers of the console: everything from here, nothing inline, in nobody's frame."""
    return {
        "Content-Security-Policy": policy(
            {
                "style-src": "'self'",
                "img-src": "'self' data: blob:",
                "media-src": "'self' blob:",
                "connect-src": f"'self' {_gateway(settings)}",
                "form-action": "'self'",
                "frame-ancestors": "'none'",
            }
        ),
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
    }


def demo_headers(settings: Settings, nonce: str) -> dict[str, str]:
    """Return the headers of the demo page: those that docs/WIDGET.md advises to host pages."""
    return {
        "Content-Security-Policy": policy(
            {
                "script-src": f"'self' 'nonce-{nonce}'",
                "style-src": f"'nonce-{nonce}'",
                "img-src": "'self' data: blob: https:",
                "media-src": "'self' blob:",
                "connect-src": f"'self' {_gateway(settings)}",
            }
        ),
        "Referrer-Policy": "same-origin",
    }


def documentation_headers() -> dict[str, str]:
    """Return the headers of the API's documentation, whose viewer styles its parts inline."""
    return {
        "Content-Security-Policy": policy(
            {"style-src": "'self' 'unsafe-inline'", "img-src": "'self' data:", "frame-ancestors": "'none'"}
        ),
        "X-Frame-Options": "DENY",
    }


def policy(rules: Mapping[str, str]) -> str:
    """Return a content security policy that begins with nothing but what comes from here."""
    always = {"default-src": "'self'", "object-src": "'none'", "base-uri": "'none'"}
    return "; ".join(f"{name} {value}" for name, value in {**always, **rules}.items())


def _gateway(settings: Settings) -> str:
    return f"{settings.gateway_url} {socket_url(settings.gateway_url)}"
