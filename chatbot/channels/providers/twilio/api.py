"""Calls to Twilio's REST API."""

import base64
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from chatbot.channels.contract import Account, Outcome, RetryAfter, Sent
from chatbot.channels.http_answers import clipped, failure, json_object, retry_seconds, without_secrets
from chatbot.channels.providers.twilio.credentials import TwilioCredentials
from chatbot.core.safe_http import Fetched, OutgoingFailed, SafeHttp

_RATE_LIMITED = frozenset({14107, 20429, 63018})
_TRY_AGAIN = frozenset({20500, 20503, 30001, 21611})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


async def call(
    account: Account[TwilioCredentials], method: str, path: str, http: SafeHttp, fields: Mapping[str, str] | None = None
) -> Fetched:
    """Make one call below the account; fields go as a form, of a GET into the query."""
    credentials = account.credentials
    url = f"{credentials.api_url}/2010-04-01/Accounts/{credentials.account_sid}{path}"
    headers = authorization(credentials)
    if method == "GET":
        answer = await http.request("GET", f"{url}?{urlencode(fields)}" if fields else url, headers=headers)
    else:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        answer = await http.request(method, url, headers=headers, body=urlencode(fields or {}).encode())
    return without_secrets(answer, account)


def authorization(credentials: TwilioCredentials) -> dict[str, str]:
    """Return the header of a call."""
    login = f"{credentials.account_sid}:{credentials.auth_token.get_secret_value()}"
    return {"Authorization": "Basic " + base64.b64encode(login.encode()).decode()}


def outcome(answer: Fetched) -> Outcome:
    """Return what became of a message."""
    told = json_object(answer.body)
    if 200 <= answer.status < 300:
        sid = told.get("sid")
        return Sent(sid) if isinstance(sid, str) and sid else RetryAfter("Twilio's answer names no message.")
    code = told.get("code")
    if code in _RATE_LIMITED:
        return RetryAfter(_words(answer), retry_seconds(answer), rate_limited=True)
    if code in _TRY_AGAIN:
        return RetryAfter(_words(answer), retry_seconds(answer))
    return failure(answer, _words(answer))


def refusal(answer: Fetched) -> str:
    """Return Twilio's words for an answer that is no success."""
    return clipped(_words(answer))


async def file(account: Account[TwilioCredentials], url: str, http: SafeHttp, *, max_bytes: int) -> bytes:
    """Get a file; the account's login goes to Twilio only, never to where Twilio sends us on.

    Raises:
        OutgoingFailed: the address is none of Twilio's, or it gave no file.
    """
    if not _is_twilios(url, account.credentials.api_url):
        raise OutgoingFailed("The address of the file is none of Twilio's.")
    answer = await http.request("GET", url, headers=authorization(account.credentials), max_bytes=max_bytes)
    if answer.status in _REDIRECTS and answer.headers.get("location"):
        answer = await http.fetch(answer.headers["location"], max_bytes=max_bytes)
    if answer.status != 200:
        raise OutgoingFailed(f"Twilio answered {answer.status} for a file.")
    return answer.body


def _is_twilios(url: str, api_url: str) -> bool:
    given, ours = urlsplit(url), urlsplit(api_url)
    if (given.scheme, given.netloc) == (ours.scheme, ours.netloc):
        return True
    host = given.hostname or ""
    return (
        given.scheme == "https" and (host == "twilio.com" or host.endswith(".twilio.com")) and "@" not in given.netloc
    )


def _words(answer: Fetched) -> str:
    told = json_object(answer.body)
    message, code = told.get("message"), told.get("code")
    if not isinstance(message, str):
        return f"HTTP {answer.status}"
    return f"{message} ({code})" if code else message
