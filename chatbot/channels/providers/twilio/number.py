"""The number at Twilio: whose it is and where it tells its messages."""

from typing import Any

from chatbot.channels.contract import Account, Finding
from chatbot.channels.errors import ProviderRefused
from chatbot.channels.http_answers import json_object
from chatbot.channels.providers.twilio.api import call, refusal
from chatbot.channels.providers.twilio.credentials import TwilioCredentials
from chatbot.core.safe_address import AddressRefused
from chatbot.core.safe_http import OutgoingFailed, SafeHttp


async def set_webhook(account: Account[TwilioCredentials], url: str, http: SafeHttp) -> None:
    """Let the number tell its messages to an address; nothing without a number that Twilio hosts.

    Raises:
        ProviderRefused: with Twilio's words.
    """
    if not _hosted(account):
        return
    number = await _number(account, http)
    if number is None:
        raise ProviderRefused(f"phone_number: {account.credentials.phone_number} is none of this account's numbers.")
    fields = {"SmsUrl": url, "SmsMethod": "POST"}
    answer = await call(account, "POST", f"/IncomingPhoneNumbers/{number.get('sid')}.json", http, fields)
    if answer.status != 200:
        raise ProviderRefused(refusal(answer))


async def points_here(account: Account[TwilioCredentials], http: SafeHttp) -> bool:
    """Whether the number tells its messages to this channel. Raises as `set_webhook`."""
    number = await _number(account, http) if _hosted(account) else None
    return number is not None and number.get("sms_url") == account.webhook_url


async def findings(account: Account[TwilioCredentials], http: SafeHttp) -> list[Finding]:
    """Look at the account and its number; never raises."""
    try:
        found = [await _account(account, http)]
        if found[0].ok:
            found.append(await _webhook(account, http))
    except (OutgoingFailed, AddressRefused, ProviderRefused) as error:
        return [Finding("account", ok=False, words=error.detail)]
    return found


def _hosted(account: Account[TwilioCredentials]) -> bool:
    return account.credentials.phone_number.startswith("+")


async def _number(account: Account[TwilioCredentials], http: SafeHttp) -> dict[str, Any] | None:
    wanted = account.credentials.phone_number
    answer = await call(account, "GET", "/IncomingPhoneNumbers.json", http, {"PhoneNumber": wanted})
    if answer.status != 200:
        raise ProviderRefused(refusal(answer))
    listed = json_object(answer.body).get("incoming_phone_numbers")
    numbers = [number for number in listed if isinstance(number, dict)] if isinstance(listed, list) else []
    return next((number for number in numbers if number.get("phone_number") == wanted), None)


async def _account(account: Account[TwilioCredentials], http: SafeHttp) -> Finding:
    answer = await call(account, "GET", ".json", http)
    if answer.status != 200:
        return Finding("account", ok=False, words=f"Twilio does not take the login: {refusal(answer)}")
    told = json_object(answer.body)
    words = f"The login belongs to the account “{told.get('friendly_name')}”, which is {told.get('status')}."
    return Finding("account", ok=told.get("status") == "active", words=words)


async def _webhook(account: Account[TwilioCredentials], http: SafeHttp) -> Finding:
    if not _hosted(account):
        words = f"Enter {account.webhook_url} at the sender in Twilio's console; Twilio does not tell us what is there."
        return Finding("webhook", ok=True, words=words)
    number = await _number(account, http)
    if number is None:
        words = f"{account.credentials.phone_number} is none of this account's numbers."
        return Finding("webhook", ok=False, words=words)
    capable = number.get("capabilities")
    if isinstance(capable, dict) and capable.get("sms") is False:
        return Finding("webhook", ok=False, words="The number cannot send or receive SMS.")
    if number.get("sms_url") == account.webhook_url:
        return Finding("webhook", ok=True, words="The number tells its messages to this channel.")
    words = f"The number tells its messages to another address: {number.get('sms_url') or 'none'}"
    return Finding("webhook", ok=False, words=words)
