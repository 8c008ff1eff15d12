#!/usr/bin/env python3
"""Replay a webhook's payload with a fresh signature, or a dead letter; exit 1 when it is refused.

    scripts/replay_webhook.py payload.json [--channel-id ID]

Whose webhook it is, the payload's own shape says where --channel-type and --url do not. The secret of the channel is
taken from XIN_CHANNEL_SECRET, else asked for; an admin token from ADMIN_TOKEN, else made on this machine as `xin token`
does. Neither is ever an argument, which other users of the machine could read. Ports are those of the platform's
settings: of the environment, of ENV_FILE, else of .env in the checkout.
"""

import own_python  # isort: skip  # noqa: F401

import argparse
import asyncio
import getpass
import os
import re
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import aiohttp
import orjson

from chatbot.channels.contract import Malformed, Request
from chatbot.channels.replay import PROOFS, signed_again, types_of
from chatbot.core.errors import XinError
from chatbot.core.places import DOTENV
from chatbot.core.settings import ConfigurationError, Settings, load_settings
from chatbot.identity.cli_token import mint

SECONDS = 120
"""A turn of the web chat is answered in the same request."""

_MEANING = {
    200: "taken",
    202: "taken; the answer comes later",
    400: "proven, but the payload cannot be read",
    401: "refused: the secret is not this channel's, or not the one that its provider signs with",
    403: "refused: the token may not do this",
    404: "there is no such channel (or it is of another type or switched off), or no such delivery",
    409: "only a dead letter can be replayed",
    413: "the payload is too large",
}
_MAX_SHOWN = 4_000


SECRET = os.environ.pop("XIN_CHANNEL_SECRET", "")
"""It is no setting of the platform, which refuses what it does not know."""


class Unusable(Exception):
    """What was given cannot be replayed; the message says why."""


def platform_settings() -> Settings:
    """Return the settings of the platform on this machine, as the other scripts find them."""
    return load_settings(Path(os.environ.get("ENV_FILE") or DOTENV))


def channel_type_of(arguments: argparse.Namespace, payload: bytes) -> str:
    """Return the kind of the channel: as told, else as its address says, else as the payload looks."""
    if arguments.channel_type:
        return str(arguments.channel_type)
    found = re.search(r"/webhooks/([a-z]+)/", arguments.url or "")
    if found and found[1] in PROOFS:
        return found[1]
    if "/webchat/webhook" in (arguments.url or ""):
        return "web"
    like = types_of(payload)
    if arguments.channel_id is None and not arguments.url:
        like = like[:1]  # the web chat alone is posted to without a channel's id
    elif like[:2] == ("telegram", "bale"):
        like = like[:1]
    if len(like) != 1:
        named = like or sorted(PROOFS)
        why = "payloads of each look like this one" if like else "the payload does not tell"
        raise Unusable(f"--channel-type: {why}; give one of {', '.join(named)}")
    other = "; Bale's look the same: --channel-type bale" if like == ("telegram",) else ""
    print(f"replay: taken as {like[0]}, as the payload looks{other}", file=sys.stderr)
    return like[0]


def address_of(arguments: argparse.Namespace, channel_type: str) -> str:
    """Return where to post to, without a secret."""
    if arguments.url:
        return str(arguments.url)
    gateway = (arguments.gateway or f"http://127.0.0.1:{platform_settings().gateway_port}").rstrip("/")
    if channel_type == "web":
        return f"{gateway}/webchat/webhook"
    if arguments.channel_id is None:
        raise Unusable("--channel-id: give the channel's id, or its whole address by --url")
    return f"{gateway}/webhooks/{channel_type}/{arguments.channel_id}"


def recorded(path: str) -> bytes:
    """Return what the file holds."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}") from error


def payload_of(arguments: argparse.Namespace, channel_type: str, payload: bytes) -> bytes:
    """Return the body; one for the web chat that names no channel is given the channel's id."""
    if channel_type != "web" or arguments.channel_id is None:
        return payload
    try:
        body = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return payload
    return orjson.dumps({"channel_id": str(arguments.channel_id), **body}) if isinstance(body, dict) else payload


def secret_of(arguments: argparse.Namespace, channel_type: str, payload: bytes) -> str:
    """Return the secret that the channel's provider signs with; for this machine's demo tenant that of its settings."""
    is_here = not (arguments.url or arguments.gateway)
    if not SECRET and is_here and channel_type == "web" and b'"channel_id"' not in payload:
        return platform_settings().gateway_webhook_secret.get_secret_value()
    try:
        given = SECRET or getpass.getpass(f"What {channel_type} is signed with: ")
    except EOFError:
        given = ""
    if not given:
        raise Unusable("XIN_CHANNEL_SECRET: give what the channel's provider signs with")
    return given


def replayed(arguments: argparse.Namespace) -> Request:
    """Return the payload as its provider would post it now."""
    payload = recorded(arguments.payload)
    channel_type = channel_type_of(arguments, payload)
    address = address_of(arguments, channel_type)
    payload = payload_of(arguments, channel_type, payload)
    public = arguments.public_url or address
    try:
        made = signed_again(channel_type, secret_of(arguments, channel_type, payload), public, payload, time.time())
    except Malformed as error:
        raise Unusable(str(error)) from error
    # The signature may be over the public address, while the gateway is called by another one.
    return Request(made.method, address + made.url[len(public) :], made.headers, made.body)


def dead_letter(arguments: argparse.Namespace) -> Request:
    """Return the call that sends a dead letter again."""
    token = os.environ.get("ADMIN_TOKEN") or mint(platform_settings())
    api = arguments.api or f"http://127.0.0.1:{platform_settings().orchestrator_port}"
    url = f"{api.rstrip('/')}/admin/deliveries/{arguments.delivery}/replay"
    return Request("POST", url, {"authorization": f"Bearer {token}"}, b"")


async def post(request: Request) -> int:
    """Make the call, say in words what came of it, and return the exit code."""
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as http:
        async with http.post(request.url, data=request.body, headers=dict(request.headers)) as answer:
            body = (await answer.content.read(_MAX_SHOWN)).decode(errors="replace")
            status, wait = answer.status, answer.headers.get("Retry-After", "")
    meaning = _MEANING.get(status) or ("taken" if status < 400 else "refused")
    print(f"{status} {meaning}{f'; try again in {wait} s' if wait else ''}")
    if body:
        print(body)
    return 1 if status >= 400 else 0


def parsed(given: list[str]) -> argparse.Namespace:
    """Read the arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("payload", nargs="?", help="a file with the body as the provider sent it")
    what.add_argument("--delivery", type=UUID, help="the id of a dead letter, to be sent again")
    parser.add_argument("--channel-type", choices=sorted(PROOFS), help="else --url or the payload tells it")
    parser.add_argument("--channel-id", type=UUID)
    parser.add_argument("--url", help="the whole address of the webhook, in place of type and id")
    parser.add_argument("--public-url", help="the address that the provider knows, when --url is another (Twilio)")
    parser.add_argument("--gateway", help="the gateway's address; by default the one on this machine")
    parser.add_argument("--api", help="the orchestrator's address; by default the one on this machine")
    return parser.parse_args(given)


def main(given: list[str]) -> int:
    """Replay what the arguments name; return the exit code."""
    arguments = parsed(given)
    request = None
    try:
        request = dead_letter(arguments) if arguments.delivery else replayed(arguments)
        return asyncio.run(post(request))
    except (Unusable, ConfigurationError, XinError) as error:
        print(f"replay: {error}", file=sys.stderr)
    except (aiohttp.ClientError, TimeoutError) as error:
        # The error's own words may hold the address, in which Bale's secret stands.
        where = arguments.url or urlunsplit(urlsplit(request.url)._replace(path="", query="")) if request else "there"
        print(f"replay: no answer from {where} ({type(error).__name__})", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
