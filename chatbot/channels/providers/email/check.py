"""Looking whether an e-mail channel works, in words for its operator."""

import asyncio

import aiosmtplib

from chatbot.channels.contract import Account, Finding, Permanent
from chatbot.channels.errors import ProviderRefused
from chatbot.channels.providers.email.credentials import EmailCredentials
from chatbot.channels.providers.email.imap import open_mailbox
from chatbot.channels.providers.email.services import SERVICES
from chatbot.channels.providers.email.smtp import TOTAL_SECONDS, outcome_of, session
from chatbot.core.safe_http import OutgoingFailed, SafeHttp


async def findings(account: Account[EmailCredentials], http: SafeHttp) -> list[Finding]:
    """Log in where mail goes out and where it comes in."""
    credentials = account.credentials
    incoming = _imap(credentials, http) if credentials.inbound == "imap" else _webhook(account)
    return list(await asyncio.gather(_smtp(credentials, http), incoming))


async def _smtp(credentials: EmailCredentials, http: SafeHttp) -> Finding:
    try:
        async with asyncio.timeout(TOTAL_SECONDS), session(credentials, http) as client:
            await client.mail(credentials.address)
    except (ProviderRefused, OutgoingFailed) as error:
        return Finding("smtp", ok=False, words=error.detail)
    except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
        outcome = outcome_of(error)
        kind = "refused" if isinstance(outcome, Permanent) else "failed"
        return Finding("smtp", ok=False, words=f"Sending {kind}: {getattr(outcome, 'words', '')}")
    host = credentials.smtp_host
    return Finding("smtp", ok=True, words=f"{host} takes mail from {credentials.address}.")


async def _imap(credentials: EmailCredentials, http: SafeHttp) -> Finding:
    try:
        async with asyncio.timeout(TOTAL_SECONDS):
            mailbox = await open_mailbox(credentials, http)
            idle = mailbox.can_idle
            mailbox.close()
    except (ProviderRefused, OutgoingFailed) as error:
        return Finding("imap", ok=False, words=error.detail)
    except TimeoutError:
        return Finding("imap", ok=False, words="The mail server took too long.")
    speed = "New mail is seen at once." if idle else "The server has no IDLE: new mail is seen within 20 seconds."
    return Finding("imap", ok=True, words=f"The folder {credentials.imap_folder} can be read. {speed}")


async def _webhook(account: Account[EmailCredentials]) -> Finding:
    service = account.credentials.inbound
    if missing := SERVICES[service].missing(account.credentials):
        return Finding("webhook", ok=False, words=f"{service}: {missing} is not set, so its requests are refused.")
    return Finding("webhook", ok=True, words=f"{service} must post to {account.webhook_url or 'the webhook address'}.")
