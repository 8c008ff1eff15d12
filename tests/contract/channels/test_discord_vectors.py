"""Discord's recorded payloads and signatures, read by the adapter."""

import json
from pathlib import Path

from chatbot.channels.contract import Refused, Request
from chatbot.channels.events import Echo, Message, Reaction, Unsupported
from chatbot.channels.providers.discord import DISCORD
from chatbot.channels.providers.discord.credentials import DiscordCredentials
from tests.unit.channels.peer import account

APPLICATION = "1457469483726668048"
# Kind, addressed, and the thread's key.
EXPECTED = {
    "vercel_channel_discord__channel_post_action": (Message, True, "1473118766652199044"),
    "vercel_channel_discord__mention": (Message, True, "1459213904352645277:1033044521375764530"),
    "vercel_discord__button_click_messages": (Message, True, "1457536551830421524"),
    "vercel_discord__dm_button_click": (Message, True, "DM_CHANNEL_123"),
    "vercel_discord__gateway_aimention": (Message, True, "1457510428359004343:1033044521375764530"),
    "vercel_discord__gateway_mention": (Message, True, "1457510428359004343:1033044521375764530"),
    "vercel_discord__gateway_reaction_add": (Reaction, True, "1457536551830421524"),
    "vercel_discord__gateway_role_mention": (Message, False, "1457510428359004343"),
    "vercel_discord__gateway_thread_create": (Unsupported, False, "1457536551830421524"),
    "vercel_discord__gateway_thread_nice": (Message, False, "1457536551830421524"),
    "vercel_discord__gateway_thread_user_hey": (Message, False, "1457536551830421524"),
    "vercel_discord__gateway_thread_welcome": (Echo, True, "1457536551830421524"),
}


def test_every_recorded_payload_has_its_kind(shared_dir: Path) -> None:
    discord = account(DiscordCredentials(application_id=APPLICATION, public_key="", bot_token="t"))
    found = {}
    for file in (shared_dir / "channels/vectors/discord/inbound").glob("*.json"):
        if file.stem.startswith("_meta_"):
            continue
        (event,) = DISCORD.parse(discord, Request("POST", "https://gw.example.com/hook", {}, file.read_bytes()))
        assert 0 < len(event.id) <= 200
        found[file.stem] = (type(event.content), event.addressed, event.thread)
    assert found == EXPECTED


def test_recorded_signatures(shared_dir: Path) -> None:
    cases = json.loads((shared_dir / "channels/vectors/discord/signature.json").read_bytes())["vectors"]
    assert cases
    for case in cases:
        credentials = DiscordCredentials(application_id="1", public_key=case["public_key_hex"], bot_token="t")
        headers = {name.lower(): value for name, value in case["headers"].items()}
        request = Request("POST", "https://gw.example.com/hook", headers, case["body"].encode())
        try:
            DISCORD.verify(account(credentials), request, float(headers["x-signature-timestamp"]))
            valid = True
        except Refused:
            valid = False
        assert valid is case["valid"]
