"""Calls to the Graph API, and what its answers mean."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from chatbot.channels.contract import Finding, Outcome, RetryAfter, Sent
from chatbot.channels.errors import ProviderRefused
from chatbot.channels.http_answers import MAX_WORDS, clipped, failure, json_object, retry_seconds
from chatbot.channels.providers.meta.reading import Json, mapping, mappings, number, text
from chatbot.core.errors import XinError
from chatbot.core.safe_http import Fetched, SafeHttp

VERSION = "v23.0"

_PAIR_LIMIT = 131056
_PAIR_SECONDS = 6.0
_TOKEN = re.compile(r"\b(?:EAA|IGA)[A-Za-z0-9_-]{8,}")

_RATE_LIMITED = frozenset({4, 17, 32, 341, 613, 80002, 80006, 80007, 130429, 131048})
_PASSING = frozenset({1, 2, 1200, 131000, 131016, 131057, 133004})
_WINDOW = "More than 24 hours have passed since the customer's last message"
_PLAIN = {
    190: "The access token is expired or not valid; give the channel a new one",
    10: "The app or token lacks a permission, or the time to answer has passed",
    200: "The app or token lacks a permission",
    368: "Meta blocks the account for a breach of its policies",
    551: "The customer cannot be written to at present",
    100: "Meta does not take the call",
    130429: "Too many messages a second for this number",
    80007: "The WhatsApp Business account has reached its limit of calls",
    131026: "WhatsApp cannot deliver to this customer",
    131030: "The number is not on the list of allowed recipients of the test number",
    131031: "The WhatsApp Business account is locked",
    131042: "The WhatsApp Business account has a problem with its payment method",
    131047: _WINDOW,
    131048: "The number is held back because customers blocked or reported it",
    131051: "WhatsApp does not know this type of message",
    _PAIR_LIMIT: "Too many messages to this customer in a short time",
}  # fmt: skip
_PLAIN_SUBCODES = {2018278: _WINDOW, 2534022: _WINDOW, 2018001: "The page does not know this customer"}


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as Meta tells it, in an answer or in a status."""

    code: int
    subcode: int
    told: str
    passing: bool

    @property
    def words(self) -> str:
        """Meta's words with their code, behind plain ones where we have them."""
        plain = _PLAIN_SUBCODES.get(self.subcode) or _PLAIN.get(self.code)
        code = f"{self.code}/{self.subcode}" if self.subcode else str(self.code)
        told = f"{plain}: {self.told}" if plain and self.told else plain or self.told
        return f"{told[: MAX_WORDS - 30]} (code {code})"


def problem(error: Json) -> Problem:
    """Read an error object."""
    told = text(error.get("message")) or text(error.get("title")) or text(error.get("error_user_msg"))
    details = text(mapping(error.get("error_data")).get("details"))
    if details and details not in told:
        told = f"{told}: {details}" if told else details
    return Problem(
        int(number(error.get("code")) or 0),
        int(number(error.get("error_subcode")) or 0),
        told,
        error.get("is_transient") is True,
    )


class Graph:
    """The Graph API with one token; the token travels in a header and never in an address."""

    def __init__(self, http: SafeHttp, api_url: str, token: str) -> None:
        self._http = http
        self._base = f"{api_url}/{VERSION}"
        self._token = token

    async def call(
        self, method: str, *path: str, body: Mapping[str, Any] | None = None, query: Mapping[str, str] | None = None
    ) -> Fetched:
        """Make one call; raises as `SafeHttp.request`."""
        url = "/".join([self._base, *(quote(part, safe="") for part in path)])
        if query:
            url += f"?{urlencode(query, safe=',')}"
        headers = {"Authorization": f"Bearer {self._token}", "User-Agent": "Xin/1.0.0"}
        if body is None:
            return await self._http.request(method, url, headers=headers)
        headers["Content-Type"] = "application/json"
        return await self._http.request(method, url, headers=headers, body=json.dumps(body).encode())

    async def ask(
        self, method: str, *path: str, body: Mapping[str, Any] | None = None, query: Mapping[str, str] | None = None
    ) -> Json:
        """Make a call that must succeed and return its answer; raises `ProviderRefused` too."""
        fetched = await self.call(method, *path, body=body, query=query)
        found = self.answer(fetched)
        if found is None:
            raise ProviderRefused(self.words(fetched))
        return found

    async def send(self, *path: str, body: Mapping[str, Any]) -> Outcome:
        """POST a message and say what became of it."""
        fetched = await self.call("POST", *path, body=body)
        found = self.answer(fetched)
        if found is None:
            return self._failed(fetched)
        messages = mappings(found.get("messages"))
        return Sent(text(messages[0].get("id") if messages else found.get("message_id")) or None)

    async def look(self, name: str, *path: str, query: Mapping[str, str] | None = None) -> Json | Finding:
        """GET something for a test of the channel: the answer, or the finding that it failed; never raises."""
        try:
            return await self.ask("GET", *path, query=query)
        except XinError as error:
            return Finding(name, ok=False, words=error.detail)

    def answer(self, fetched: Fetched) -> Json | None:
        """Return the object of a successful answer; None for any other."""
        found = json_object(fetched.body)
        return found if 200 <= fetched.status < 300 and found and "error" not in found else None

    def words(self, fetched: Fetched) -> str:
        """Return Meta's words of a refusal, without the token, which Meta may repeat."""
        error = mapping(json_object(fetched.body).get("error"))
        words = problem(error).words if error else f"Meta answered {fetched.status} without a reason."
        return clipped(_TOKEN.sub("…", words.replace(self._token, "…")))

    def _failed(self, fetched: Fetched) -> Outcome:
        found = problem(mapping(json_object(fetched.body).get("error")))
        words, seconds = self.words(fetched), _asked_to_wait(fetched)
        if found.code == _PAIR_LIMIT:
            return RetryAfter(words, seconds or _PAIR_SECONDS)
        if found.code in _RATE_LIMITED or fetched.status == 429:
            return RetryAfter(words, seconds, rate_limited=True)
        if found.passing or found.code in _PASSING:
            return RetryAfter(words, seconds)
        return failure(fetched, words)


def _asked_to_wait(fetched: Fetched) -> float | None:
    """Return the seconds of `Retry-After`, else of Meta's usage header, which tells minutes for each kind of call."""
    seconds = retry_seconds(fetched)
    if seconds is not None:
        return seconds
    usage = json_object(fetched.headers.get("x-business-use-case-usage", "").encode())
    calls = [one for kind in usage.values() for one in mappings(kind)]
    minutes = max((number(one.get("estimated_time_to_regain_access")) or 0.0 for one in calls), default=0.0)
    return minutes * 60 or None
