"""One-time codes of an authenticator app: RFC 6238 (TOTP) over RFC 4226 (HOTP), six digits, 30 seconds, HMAC-SHA-1.

These are what every app takes for granted; longer codes or other hashes are ignored by some without a word.
"""

import base64
import hmac
import secrets
from datetime import datetime
from urllib.parse import quote, urlencode

STEP_SECONDS = 30
DIGITS = 6
_SECRET_BYTES = 20
_DRIFT = (0, -1, 1)  # steps: a clock that is off by half a minute, a code that was typed slowly


def new_secret() -> str:
    """Return a fresh secret as apps take it: 160 bits in base32."""
    return base64.b32encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def otpauth_url(secret: str, account: str, issuer: str) -> str:
    """Return what an app reads from a QR code."""
    query = urlencode({"secret": secret, "issuer": issuer, "digits": DIGITS, "period": STEP_SECONDS})
    return f"otpauth://totp/{quote(f'{issuer}:{account}', safe='')}?{query}"


def code_at(secret: str, step: int, digits: int = DIGITS) -> str:
    """Return the code of a step (RFC 4226, section 5.3)."""
    digest = hmac.digest(base64.b32decode(secret), step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 0xF
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return str(number % 10**digits).zfill(digits)


def step_of(moment: datetime) -> int:
    """Return the number of the step in which a moment lies."""
    return int(moment.timestamp()) // STEP_SECONDS


def matching_step(secret: str, code: str, moment: datetime, after: int) -> int | None:
    """Return the step whose code was given, None when there is none near the moment and behind the step `after`."""
    now = step_of(moment)
    for step in (now + drift for drift in _DRIFT):
        if step > after and hmac.compare_digest(code_at(secret, step).encode(), code.encode()):
            return step
    return None
