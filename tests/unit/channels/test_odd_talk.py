"""Whatever Slack or Discord send, parsing gives events or says what is wrong: any JSON, in any field."""

from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatbot.channels.contract import Malformed
from chatbot.channels.providers.discord import DISCORD
from chatbot.channels.providers.discord.credentials import DiscordCredentials
from chatbot.channels.providers.slack import SLACK
from chatbot.channels.providers.slack.credentials import SlackCredentials
from tests.unit.channels.peer import account, posted

HERE_ON_SLACK = account(SlackCredentials(bot_token="t", signing_secret="s"))
HERE_ON_DISCORD = account(DiscordCredentials(application_id="900", public_key="", bot_token="t"))
SLACK_KINDS = [
    "message", "app_mention", "reaction_added", "member_joined_channel", "app_home_opened", "assistant_thread_started",
    "tokens_revoked", "block_actions", "interactive_message", "view_submission", "message_changed", "message_deleted",
    "bot_message", "file_share", "U1", "<@U1> hi", "1595926230.009600", "button", "im",
]  # fmt: skip
SLACK_FIELDS = [
    "type", "subtype", "event", "user", "channel", "channel_type", "ts", "thread_ts", "text", "files", "attachments",
    "message", "previous_message", "item", "reaction", "authorizations", "event_id", "team_id", "actions", "container",
    "trigger_id", "command", "response_url", "user_id", "value", "selected_option", "selected_options", "user_profile",
    "assistant_thread", "bot_id", "app_id", "deleted_ts", "edited", "url_private", "mimetype", "event_ts", "ssl_check",
]  # fmt: skip
DISCORD_KINDS = [
    "GATEWAY_MESSAGE_CREATE", "GATEWAY_MESSAGE_UPDATE", "GATEWAY_MESSAGE_DELETE_BULK", "GATEWAY_MESSAGE_REACTION_ADD",
    "MESSAGE_CREATE", "APPLICATION_AUTHORIZED", "900", "<@900> hi", "2026-01-05T00:50:16+00:00", 0, 1, 2, 3, 4, 5, 11,
]  # fmt: skip
DISCORD_FIELDS = [
    "type", "t", "d", "data", "event", "id", "token", "channel_id", "guild_id", "channel", "channel_type", "content",
    "author", "member", "user", "mentions", "mention_roles", "attachments", "sticker_items", "message_snapshots",
    "message", "message_reference", "referenced_message", "edited_timestamp", "timestamp", "emoji", "message_id", "ids",
    "options", "values", "value", "components", "custom_id", "resolved", "messages", "target_id", "name", "url", "bot",
]  # fmt: skip
STEADY = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow], max_examples=300)


def bodies(fields: list[str], kinds: list[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects of a provider's field names, nested, with its words and anything else as values."""
    leaves = st.one_of(
        st.none(), st.booleans(), st.integers(-(2**63), 2**63), st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=20), st.sampled_from(kinds),
    )  # fmt: skip

    def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(fields), inner, max_size=8)

    values = st.recursive(leaves, nested, max_leaves=25)
    return st.dictionaries(st.sampled_from(fields), values, max_size=12)


@STEADY
@given(body=bodies(SLACK_FIELDS, SLACK_KINDS), kind=st.sampled_from(SLACK_KINDS), subtype=st.sampled_from(SLACK_KINDS))
def test_any_json_from_slack_is_read_or_refused(body: dict[str, Any], kind: str, subtype: str) -> None:
    inner = {"type": kind, "subtype": subtype, **body}
    for whole in (
        body,
        inner,
        {"type": "event_callback", "event": inner},
        {"type": "block_actions", "actions": [body]},
    ):
        read(SLACK, HERE_ON_SLACK, whole)


@STEADY
@given(body=bodies(DISCORD_FIELDS, DISCORD_KINDS), kind=st.sampled_from(DISCORD_KINDS))
def test_any_json_from_discord_is_read_or_refused(body: dict[str, Any], kind: Any) -> None:
    dispatches = [{"type": f"GATEWAY_{name}", "data": body} for name in ("MESSAGE_CREATE", "MESSAGE_UPDATE")]
    for whole in (body, {"type": kind, **body}, {"type": 2, "token": "t", "data": body}, *dispatches):
        read(DISCORD, HERE_ON_DISCORD, whole)


def read(provider: Any, here: Any, whole: dict[str, Any]) -> None:
    request = posted(orjson.dumps(whole)) if _fits(whole) else None
    if request is None:
        return
    provider.handshake(here, request)
    try:
        events = provider.parse(here, request)
    except Malformed:
        return
    assert all(event.thread and 0 < len(event.id) <= 200 for event in events)
    assert all(orjson.dumps([dict(event.context), dict(event.raw)]) is not None for event in events)
    provider.acknowledge(here, events)


def _fits(whole: dict[str, Any]) -> bool:
    try:
        orjson.dumps(whole)
    except orjson.JSONEncodeError:
        return False
    return True


@pytest.mark.parametrize("number", ["1e999", "99999999999999999999", "-1", "nan", "inf", ""])
def test_times_beyond_all_calendars_are_no_time(number: str) -> None:
    event = {"type": "message", "channel": "D1", "user": "U1", "text": "x", "ts": number}
    (found,) = SLACK.parse(HERE_ON_SLACK, posted({"type": "event_callback", "event": event}))
    assert found.at is None or found.at.year < 1971
    (dm,) = DISCORD.parse(HERE_ON_DISCORD, posted({"t": "MESSAGE_CREATE", "d": {"id": number, "timestamp": number}}))
    assert dm.at is None or dm.at.year >= 2015
