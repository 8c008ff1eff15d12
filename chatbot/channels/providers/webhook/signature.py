"""The three proofs that the generic webhook takes: Standard Webhooks, a timestamped HMAC, and GitHub's older one."""

from chatbot.channels.contract import Refused, Request
from chatbot.channels.signing import (
    hmac_hex,
    require_same,
    verify_standard_webhook,
    verify_timestamped_hmac,
)


def signed_part(request: Request) -> tuple[str, str]:
    """Return the id and the time of a verified request, as far as the proof that counted covers them; else empty."""
    if "webhook-signature" in request.headers:
        return request.headers.get("webhook-id", ""), request.headers.get("webhook-timestamp", "")
    return "", request.headers.get("x-timestamp", "") if "x-signature" in request.headers else ""


def verify(secret: str, request: Request, now: float) -> None:
    """Refuse a request that none of the proofs shows to be the sender's; the strongest one that is there counts.

    GitHub's signs no time: there only the ids of events keep a repetition from counting twice.
    """
    if "webhook-signature" in request.headers:
        verify_standard_webhook(secret, request, now)
    elif "x-signature" in request.headers:
        verify_timestamped_hmac(secret, request, now)
    elif given := request.headers.get("x-hub-signature-256", ""):
        require_same(given, f"sha256={hmac_hex(secret, request.body)}" if secret else "")
    else:
        raise Refused("missing")
