"""An account of every provider, with secrets that are easily found again, and requests as each provider signs them."""

import base64
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import SecretStr

from chatbot.channels.contract import Account, Credentials, Request
from chatbot.channels.registry import PROVIDERS
from chatbot.channels.replay import PROOFS, signed_again
from tests.unit.channels import peer

DISCORD_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
HOOK = "https://gateway.example.com/webhooks/x/1"
OWN_SECRET = "own-secret-7f3a91c2"
_META = {"app_secret": "app-secret-5511aa99", "access_token": "EAAaccess0token0c0ffee77"}
_CREDENTIALS: dict[str, dict[str, Any]] = {
    "web": {"webhook_url": "https://hook.example.com/in"},
    "webhook": {"webhook_url": "https://hook.example.com/in"},
    "telegram": {"bot_token": "123456:telegram-token-8c1d22"},
    "bale": {"bot_token": "123456:bale-token-3e9f00"},
    "whatsapp": {**_META, "phone_number_id": "106540352242922", "waba_id": "102290129340398"},
    "messenger": {**_META, "page_id": "", "app_id": "5550001"},
    "instagram": _META,
    "slack": {"bot_token": "xoxb-bot-token-41d0be", "signing_secret": "signing-secret-99ab31"},
    "discord": {
        "application_id": "1234567890", "bot_token": "discord-token-77bb01",
        "public_key": DISCORD_KEY.public_key().public_bytes_raw().hex(),
    },
    "sms": {"account_sid": "AC1", "auth_token": "twilio-token-6a2e90", "phone_number": "+15551234567"},
    "line": {"channel_secret": "channel-secret-1188cc", "channel_access_token": "line-access-token-d3d3d3"},
    "viber": {"auth_token": "viber-token-5f5f5f"},
    "email": {
        "address": "help@example.com", "inbound": "postmark", "smtp_host": "127.0.0.1", "smtp_security": "none",
        "smtp_password": "smtp-password-0d0d0d", "webhook_username": "hook", "webhook_password": "hook-password-2b2b2b",
    },
}  # fmt: skip
_THREADS = {
    "telegram": "7", "bale": "7", "sms": "+15550002222", "line": "U206d25c2ea6bd87c17655609a1c37cb8", "email": "a" * 26,
}  # fmt: skip
_SIGNED_BY = {
    "whatsapp": "app_secret", "messenger": "app_secret", "instagram": "app_secret", "slack": "signing_secret",
    "sms": "auth_token", "line": "channel_secret", "viber": "auth_token",
}  # fmt: skip
_FORMS = frozenset({"sms"})

Change = Callable[[Credentials], Credentials]


def account_of(channel_type: str, **changed: Any) -> Account[Any]:
    """An account of a provider; addresses may be changed."""
    kind = PROVIDERS[channel_type].credentials
    return peer.account(kind.model_validate({**_CREDENTIALS[channel_type], **changed}), OWN_SECRET, HOOK)


def reaching(channel_type: str, url: str) -> Account[Any]:
    """An account whose every call goes to one address."""
    kind = PROVIDERS[channel_type].credentials
    names = [name for name in kind.model_fields if name in ("api_url", "data_url", "webhook_url")]
    port = {"smtp_port": int(url.rpartition(":")[2])} if channel_type == "email" else {}
    return account_of(channel_type, **dict.fromkeys(names, url), **port)


def without_secrets(account: Account[Any]) -> Account[Any]:
    """The account as it would be if no secret had been set."""
    emptied: dict[str, Any] = {
        name: SecretStr("") for name, value in account.credentials if isinstance(value, SecretStr)
    }
    if hasattr(account.credentials, "public_key"):
        emptied["public_key"] = ""
    return replace(account, secret="", credentials=account.credentials.model_copy(update=emptied))


def secrets_of(account: Account[Any]) -> list[str]:
    """Everything of an account that must never be seen."""
    held = [value.get_secret_value() for _, value in account.credentials if isinstance(value, SecretStr)]
    return [secret for secret in (account.secret, *held) if secret]


def thread_of(channel_type: str) -> str:
    """A thread as the provider names it."""
    return _THREADS.get(channel_type, "1234567890")


def signed(channel_type: str, body: bytes, now: float, *, secret: str | None = None) -> Request:
    """A request as the provider makes it, or with a secret that is not the account's."""
    if channel_type == "discord":
        key = DISCORD_KEY if secret is None else OTHER_KEY
        proof = key.sign(str(int(now)).encode() + body).hex()
        return Request("POST", HOOK, {"x-signature-timestamp": str(int(now)), "x-signature-ed25519": proof}, body)
    if channel_type == "email":
        password = _CREDENTIALS["email"]["webhook_password"] if secret is None else secret
        login = base64.b64encode(f"hook:{password}".encode()).decode()
        return Request("POST", HOOK, {"authorization": f"Basic {login}", "content-type": "application/json"}, body)
    if secret is None:
        name = _SIGNED_BY.get(channel_type, "")
        secret = _CREDENTIALS[channel_type][name] if name else OWN_SECRET
    if channel_type in _FORMS:
        # Any bytes, not only a form: what is signed is what the adapter reads of them.
        body = body if body.lstrip()[:1] == b"{" else b"Body=x"
    assert channel_type in PROOFS
    return signed_again(channel_type, secret, HOOK, body, now)
