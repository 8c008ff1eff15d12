"""Sending over SMTP, one connection a mail."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import aiosmtplib

from chatbot.channels.contract import Call, Outcome, Permanent, RetryAfter, Sent
from chatbot.channels.errors import ProviderRefused
from chatbot.channels.providers.email.credentials import EmailCredentials
from chatbot.channels.providers.email.render import NotAMail, mime
from chatbot.channels.providers.email.sockets import connect, tls_context
from chatbot.core.safe_http import OutgoingFailed, SafeHttp

TOTAL_SECONDS = 60.0
_ANSWER_SECONDS = 20.0
_TOO_BUSY = 421


async def send(credentials: EmailCredentials, call: Call, http: SafeHttp, delivery_id: UUID) -> Outcome:
    """Send one mail; what the server says decides whether it is tried again."""
    try:
        message_id, recipient, content = mime(credentials, call, delivery_id)
        async with asyncio.timeout(TOTAL_SECONDS), session(credentials, http) as client:
            await client.sendmail(credentials.address, [recipient], content)
    except (NotAMail, ProviderRefused) as error:
        return Permanent(str(error))
    except OutgoingFailed as error:
        return RetryAfter(error.detail)
    except (aiosmtplib.SMTPException, OSError) as error:
        return outcome_of(error)
    return Sent(message_id)


@asynccontextmanager
async def session(credentials: EmailCredentials, http: SafeHttp) -> AsyncIterator[aiosmtplib.SMTP]:
    """A connection that is encrypted and logged in as configured."""
    context = await asyncio.to_thread(tls_context, credentials)
    password = credentials.smtp_password
    client = aiosmtplib.SMTP(
        hostname=credentials.smtp_host,
        sock=await connect(http, credentials.smtp_host, credentials.smtp_port),
        username=(credentials.smtp_username or credentials.address) if password else None,
        password=password.get_secret_value() if password else None,
        use_tls=credentials.smtp_security == "tls",
        start_tls=credentials.smtp_security == "starttls",
        tls_context=context,
        local_hostname=credentials.domain,
        timeout=_ANSWER_SECONDS,
    )
    async with client:
        yield client


def outcome_of(error: Exception) -> Outcome:
    """4xx is not now, 5xx is never; a broken connection is not now."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        error = error.recipients[0] if error.recipients else error
    if isinstance(error, aiosmtplib.SMTPResponseException):
        words = f"{error.code} {' '.join(error.message.split())}"[:300]
        if error.code >= 500:
            return Permanent(words)
        return RetryAfter(words, rate_limited=error.code == _TOO_BUSY)
    if isinstance(error, aiosmtplib.SMTPNotSupported):
        return Permanent(str(error)[:300])
    return RetryAfter(words_of(error))


def words_of(error: Exception) -> str:
    """Why there was no answer, in a line."""
    if isinstance(error, TimeoutError):
        return "The mail server took too long."
    return f"The mail server could not be used: {' '.join(str(error).split()) or type(error).__name__}"[:300]
