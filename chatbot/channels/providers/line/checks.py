"""What LINE can tell about a channel."""

from chatbot.channels.contract import Account, Finding
from chatbot.channels.http_answers import json_object
from chatbot.channels.providers.line.api import call, words
from chatbot.channels.providers.line.credentials import LineCredentials
from chatbot.core.safe_address import AddressRefused
from chatbot.core.safe_http import OutgoingFailed, SafeHttp

_ENDPOINT = "/v2/bot/channel/webhook/endpoint"


async def findings(account: Account[LineCredentials], http: SafeHttp) -> list[Finding]:
    """Look at the token, the webhook and what may still be sent; never raises."""
    try:
        found = [await _token(account, http)]
        if found[0].ok:
            found += [await _webhook(account, http), await _reached(account, http), await _quota(account, http)]
    except (OutgoingFailed, AddressRefused) as error:
        return [Finding("token", ok=False, words=error.detail)]
    return found


async def _token(account: Account[LineCredentials], http: SafeHttp) -> Finding:
    answer = await call(account, "GET", "/v2/bot/info", http)
    if answer.status != 200:
        return Finding("token", ok=False, words=f"LINE does not take the access token: {words(answer)}")
    told = json_object(answer.body)
    return Finding("token", ok=True, words=f"The token belongs to {told.get('displayName')} ({told.get('basicId')}).")


async def _webhook(account: Account[LineCredentials], http: SafeHttp) -> Finding:
    answer = await call(account, "GET", _ENDPOINT, http)
    told = json_object(answer.body)
    if answer.status == 404 or (answer.status == 200 and not told.get("endpoint")):
        return Finding("webhook", ok=False, words="No webhook is set at LINE.")
    if answer.status != 200:
        return Finding("webhook", ok=False, words=f"LINE does not tell the webhook: {words(answer)}")
    if told["endpoint"] != account.webhook_url:
        return Finding("webhook", ok=False, words=f"The webhook points to another address: {told['endpoint']}")
    if told.get("active") is not True:
        return Finding("webhook", ok=False, words="The webhook is ours; “Use webhook” is off in LINE's console.")
    return Finding("webhook", ok=True, words="The webhook is ours and in use.")


async def _reached(account: Account[LineCredentials], http: SafeHttp) -> Finding:
    """Let LINE call the webhook that is set there."""
    answer = await call(account, "POST", "/v2/bot/channel/webhook/test", http, {})
    told = json_object(answer.body)
    if answer.status != 200:
        return Finding("webhook_test", ok=False, words=f"LINE did not test the webhook: {words(answer)}")
    if told.get("success") is True:
        return Finding("webhook_test", ok=True, words="LINE reached the webhook.")
    reason = f"{told.get('reason')} ({told.get('statusCode')}, {told.get('detail')})"
    return Finding("webhook_test", ok=False, words=f"LINE did not reach the webhook: {reason}")


async def _quota(account: Account[LineCredentials], http: SafeHttp) -> Finding:
    limit = json_object((await call(account, "GET", "/v2/bot/message/quota", http)).body).get("value")
    used = json_object((await call(account, "GET", "/v2/bot/message/quota/consumption", http)).body).get("totalUsage")
    if not isinstance(limit, int) or not isinstance(used, int):
        return Finding("quota", ok=True, words="LINE names no limit of messages for this month.")
    return Finding("quota", ok=used < limit, words=f"{used} of {limit} pushed messages of this month are used.")
