"""`scripts/replay_webhook.py` as an operator runs it, against a running gateway."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest
from aiohttp import web

from chatbot.channels.replay import PROOFS
from chatbot.identity.bootstrap import ensure_first_rows
from tests.conftest import bearer
from tests.integration.channels.conftest import Receiver, Whole
from tests.unit.channels.telegram_peer import TOKEN

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "scripts" / "replay_webhook.py"
QUESTION = "How do I get a refund?"


async def replay(*arguments: object, **environment: str) -> tuple[int, str]:
    """Run the script, as the program that it is; return its exit code and all that it printed."""
    known = {name: value for name, value in os.environ.items() if name not in ("XIN_CHANNEL_SECRET", "ADMIN_TOKEN")}
    process = await asyncio.create_subprocess_exec(
        SCRIPT, *(str(argument) for argument in arguments),
        env={**known, "PATH": f"{Path(sys.executable).parent}:{known['PATH']}", **environment},
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    printed, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, printed.decode()


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """A payload as a file."""
    path = tmp_path / "payload.json"
    path.write_bytes(orjson.dumps({"session_id": "s1", "message_id": "m1", "text": QUESTION}))
    return path


async def test_a_payload_is_taken_and_counts_once(whole: Whole, receiver: Receiver, recorded: Path) -> None:
    channel = await whole.channel("webhook", {"webhook_url": receiver.url})
    where = ("--channel-type", "webhook", "--channel-id", channel["id"], "--gateway", whole.gateway_url)
    code, printed = await replay(recorded, *where, XIN_CHANNEL_SECRET=channel["secret"])
    assert (code, printed) == (0, "200 taken\n")
    assert "14 days" in (await receiver.wait_for(1))[0]["message"]["text"]
    assert (await replay(recorded, *where, XIN_CHANNEL_SECRET=channel["secret"]))[0] == 0
    assert len(await whole.settled(channel, 1)) == 1
    code, printed = await replay(recorded, *where, XIN_CHANNEL_SECRET="not-the-secret-of-it")
    assert code == 1
    assert printed.startswith("401 refused: the secret is not this channel's")
    assert "not-the-secret-of-it" not in printed


async def test_the_web_chat_answers_in_the_same_request(whole: Whole, recorded: Path) -> None:
    channel = await whole.channel("web", {})
    where = ("--channel-id", channel["id"], "--url", f"{whole.gateway_url}/webchat/webhook")
    code, printed = await replay(recorded, *where, XIN_CHANNEL_SECRET=channel["secret"])
    assert code == 0
    assert "14 days" in orjson.loads(printed.split("\n", 1)[1])["reply"]


@pytest.mark.parametrize(
    ("channel_type", "credentials", "signs", "payload"),
    [
        ("bale", {"bot_token": TOKEN}, None, {"update_id": 1, "unknown": {}}),
        ("sms", {"account_sid": "AC1", "auth_token": "tw-1", "phone_number": "+15551234567"}, "tw-1",
         {"MessageSid": "SM1", "From": "+15550002222", "Body": "سلام & ="}),
        ("slack", {"bot_token": "xoxb-1", "signing_secret": "sl-1"}, "sl-1",
         {"type": "event_callback", "event": {"type": "team_rename"}}),
    ],
)  # fmt: skip
async def test_providers_proofs(
    whole: Whole, tmp_path: Path, channel_type: str, credentials: dict[str, str], signs: str | None, payload: Any
) -> None:
    channel = await whole.channel(channel_type, credentials)
    path = tmp_path / "payload.json"
    path.write_bytes(orjson.dumps(payload))
    secret = signs or channel["secret"]
    code, printed = await replay(path, "--url", channel["webhook_url"], XIN_CHANNEL_SECRET=secret)
    assert code == 0, printed
    assert printed.startswith("200 taken\n")
    assert secret not in printed


async def test_a_dead_letter_is_sent_again(whole: Whole, receiver: Receiver) -> None:
    channel = await whole.channel("webhook", {"webhook_url": receiver.url})
    receiver.answers = [web.Response(status=410)]
    await whole.tell(channel, {"session_id": "s1", "message_id": "m1", "text": QUESTION})
    (dead,) = await whole.settled(channel, 1)
    assert dead["status"] == "dead"
    token = bearer()["Authorization"].removeprefix("Bearer ")
    what = ("--delivery", dead["id"], "--api", whole.api_url)
    code, printed = await replay(*what, ADMIN_TOKEN=token)
    assert code == 0, printed
    assert orjson.loads(printed.split("\n", 1)[1])["status"] == "pending"
    await receiver.wait_for(2)
    assert [one["status"] for one in await whole.settled(channel, 1)] == ["sent"]
    code, printed = await replay(*what, ADMIN_TOKEN=token)
    assert (code, printed.split("\n")[0]) == (1, "409 only a dead letter can be replayed")


async def test_a_payload_alone_goes_to_the_demo_tenants_web_chat(
    whole: Whole, recorded: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    await ensure_first_rows(whole.runtime.database, whole.runtime.settings)
    monkeypatch.delenv("GATEWAY_PORT", raising=False)
    settings = tmp_path / "xin.env"
    settings.write_text(f"GATEWAY_PORT={urlsplit(whole.gateway_url).port}\n")
    code, printed = await replay(recorded, ENV_FILE=str(settings))
    assert (code, printed.splitlines()[:2]) == (0, ["replay: taken as web, as the payload looks", "200 taken"]), printed


async def test_what_is_missing_is_named(recorded: Path) -> None:
    other = recorded.with_name("other.json")
    other.write_text('{"hello": "world"}')
    code, printed = await replay(other)
    what = f"the payload does not tell; give one of {', '.join(sorted(PROOFS))}"
    assert (code, printed) == (1, f"replay: --channel-type: {what}\n")
    code, printed = await replay(recorded, "--channel-id", "0190a0a0-0000-7000-8000-000000000000")
    assert (code, printed.endswith("look like this one; give one of web, webhook\n")) == (1, True)
    other.write_text('{"update_id": 7}')
    code, printed = await replay(other)
    assert (code, "taken as telegram" in printed, "replay: --channel-id" in printed) == (1, True, True)
    code, printed = await replay(recorded, "--channel-type", "line")
    assert (code, printed.startswith("replay: --channel-id")) == (1, True)
    where = ("--channel-type", "line", "--url", "http://127.0.0.1:1/x")
    code, printed = await replay(recorded, *where)
    assert (code, "XIN_CHANNEL_SECRET" in printed) == (1, True)
    code, printed = await replay(recorded, *where, XIN_CHANNEL_SECRET="s")
    assert (code, "no answer from http://127.0.0.1:1/x" in printed) == (1, True)
