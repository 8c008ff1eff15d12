"""One call of the Bot API, and what came of it in words without the token."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import orjson

from chatbot.channels.contract import Account
from chatbot.channels.errors import ProviderRefused
from chatbot.channels.http_answers import hidden
from chatbot.channels.providers.telegram.credentials import TelegramCredentials
from chatbot.core.safe_http import OutgoingFailed, ResponseTooLarge, SafeHttp

_MAX_WORDS = 300
_MAX_ANSWER = 10_000_000
"""A hundred updates, each with its longest text and a quoted one, stay below."""

BotAccount = Account[TelegramCredentials]


@dataclass(frozen=True, slots=True)
class Reply:
    """What the Bot API answered.

    Attributes:
        code: the error code, or the HTTP status where the answer is none of the Bot API.
        words: the provider's description, at most 300 characters, without the token.
        retry_after: seconds until calls are taken again.
        moved_to: the chat that a group became.
    """

    ok: bool
    code: int
    result: Any = None
    words: str = ""
    retry_after: float | None = None
    moved_to: int | None = None


async def call(
    account: BotAccount, method: str, parameters: Mapping[str, Any], http: SafeHttp, *, seconds: float | None = None
) -> Reply:
    """Call a method; raises `OutgoingFailed` when there is no answer, whose words never hold the address."""
    fetched = await http.request(
        "POST",
        f"{account.credentials.api_url}/bot{_token(account)}/{method}",
        headers={"Content-Type": "application/json"},
        body=orjson.dumps(dict(parameters)),
        max_bytes=_MAX_ANSWER,
        seconds=seconds,
    )
    try:
        answer = orjson.loads(fetched.body)
    except orjson.JSONDecodeError:
        answer = None
    if not isinstance(answer, dict):
        return Reply(False, fetched.status, words=f"the provider answered {fetched.status} without a readable body")
    return _reply(account, answer, fetched.status, fetched.headers)


async def required(
    account: BotAccount, method: str, parameters: Mapping[str, Any], http: SafeHttp, *, what: str
) -> Any:
    """Call a method that must succeed; raises `ProviderRefused` with `what` was tried and the provider's words."""
    reply = await call(account, method, parameters, http)
    if not reply.ok:
        raise ProviderRefused(f"{what}: {reply.words}")
    return reply.result


async def fetch_file(account: BotAccount, file_id: str, http: SafeHttp, max_bytes: int) -> bytes:
    """Get a file by its id; raises `OutgoingFailed`, or `ResponseTooLarge` above the limit."""
    reply = await call(account, "getFile", {"file_id": file_id}, http)
    if not reply.ok and "too big" in reply.words:
        raise ResponseTooLarge(f"The provider gives no file of this size: {reply.words}")
    path = reply.result.get("file_path") if isinstance(reply.result, dict) else None
    if not reply.ok or not isinstance(path, str):
        raise OutgoingFailed(f"The provider gives no file: {reply.words or 'its answer names none'}")
    url = f"{account.credentials.api_url}/file/bot{_token(account)}/{quote(path)}"
    fetched = await http.request("GET", url, max_bytes=max_bytes)
    if fetched.status != 200:
        raise OutgoingFailed(f"The provider answered {fetched.status} for a file.")
    return fetched.body


def _token(account: BotAccount) -> str:
    return account.credentials.bot_token.get_secret_value()


def _reply(account: BotAccount, answer: Mapping[str, Any], status: int, headers: Mapping[str, str]) -> Reply:
    if answer.get("ok") is True:
        return Reply(True, status, answer.get("result"))
    code = answer.get("error_code")
    code = code if isinstance(code, int) else status
    hints = answer.get("parameters")
    hints = hints if isinstance(hints, dict) else {}
    # Only the words: the webhook's address, which Bale tells, holds our secret and is compared with ours.
    description = hidden(str(answer.get("description") or "no reason given"), account)
    moved = hints.get("migrate_to_chat_id")
    return Reply(
        False,
        code,
        words=f"{description[: _MAX_WORDS - 10]} ({code})",
        retry_after=_seconds(hints.get("retry_after"), headers.get("retry-after")),
        moved_to=moved if isinstance(moved, int) else None,
    )


def _seconds(*told: object) -> float | None:
    for value in told:
        try:
            return max(float(str(value)), 0.0)
        except ValueError:
            continue
    return None
