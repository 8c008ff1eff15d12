"""Slack's recorded payloads and signatures, read by the adapter."""

import json
from pathlib import Path
from typing import Any

import pytest

from chatbot.channels.contract import Malformed, Refused, Request
from chatbot.channels.events import Deleted, Echo, Followed, InboundEvent, Message, Reaction, Unsupported
from chatbot.channels.providers.slack import SLACK
from chatbot.channels.providers.slack.credentials import SlackCredentials
from tests.unit.channels.peer import account

NO_EVENT = ("bolt_test_events_url_verification__event_body",)
KINDS: dict[str, type] = {
    "bolt_test_app__app_mention_event_body": Message,
    "bolt_test_app_using_methods_in_class__payload": Unsupported,
    "bolt_test_dialogs__submission_body": Unsupported,
    "bolt_test_events__join_event_body": Unsupported,
    "bolt_test_events__left_event_body": Unsupported,
    "bolt_test_events__tokens_revoked_body": Unsupported,
    "bolt_test_events__valid_reaction_added_body": Reaction,
    "bolt_test_events_org_apps__event_payload": Message,
    "bolt_test_events_say_stream__org_app_mention_event_body": Message,
    "bolt_test_events_shared_channels__left_event_body": Unsupported,
    "bolt_test_events_shared_channels__tokens_revoked_body": Unsupported,
    "bolt_test_events_shared_channels__valid_reaction_added_body": Reaction,
    "bolt_test_events_token_revocations__event_payload": Unsupported,
    "bolt_test_function__function_body": Unsupported,
    "bolt_test_function__wrong_id_function_body": Unsupported,
    "bolt_test_listener_middleware__body": Unsupported,
    "bolt_test_message__message_body": Message,
    "bolt_test_message__message_body3": Message,
    "bolt_test_message_bot__bot_message_event_payload": Echo,
    "bolt_test_message_deleted__event_payload": Deleted,
    "bolt_test_message_file_share__event_payload": Message,
    "bolt_test_message_thread_broadcast__event_payload": Message,
    "bolt_test_view_closed__body": Unsupported,
    "bolt_test_view_submission__body": Unsupported,
    "bolt_test_view_submission__connect_channel_payload": Unsupported,
    "bolt_test_workflow_steps__execute_payload": Unsupported,
    "bolt_test_workflow_steps__save_payload": Unsupported,
    "java_sdk_block_action_payload": Message,
    "java_sdk_dialog_submission_payload": Unsupported,
    "java_sdk_event_app_home_opened_payload": Followed,
    "java_sdk_event_app_uninstalled_payload": Unsupported,
    "java_sdk_event_message_bot_payload": Echo,
    "java_sdk_event_message_channel_join_payload": Unsupported,
    "java_sdk_event_message_deleted_payload": Deleted,
    "java_sdk_event_message_me_payload": Message,
    "java_sdk_event_message_replied_payload": Unsupported,
    "java_sdk_event_tokens_revoked_payload": Unsupported,
    "java_sdk_message_shortcut_payload": Unsupported,
    "java_sdk_slash_command_payload": Unsupported,
    "java_sdk_view_closed_payload": Unsupported,
    "vercel_actions_reactions_slack__mention": Message,
    "vercel_actions_reactions_slack__radio_buttons_action": Message,
    "vercel_actions_reactions_slack__static_select_action": Message,
    "vercel_channel_mention_slack__mention": Message,
    "vercel_channel_slack__mention": Message,
    "vercel_dm_slack__dm_message": Message,
    "vercel_dm_slack__dm_request": Message,
    "vercel_dm_slack__mention": Message,
    "vercel_dm_slack_direct__follow_up": Message,
    "vercel_member_joined_channel_slack__member_joined_channel": Followed,
    "vercel_modals_slack__ephemeral_action": Message,
    "vercel_modals_slack__ephemeral_view_submission": Unsupported,
    "vercel_modals_slack__mention": Message,
    "vercel_modals_slack__view_submission": Unsupported,
    "vercel_modals_slack_private_metadata__action": Message,
    "vercel_slack__follow_up": Message,
    "vercel_slack_multi_workspace_team1__mention": Message,
    "vercel_slack_multi_workspace_team2__mention": Message,
    "vercel_slash_commands_slack__slash_command": Message,
    "vercel_slash_commands_slack__view_submission": Unsupported,
    "vercel_streaming_slack__ai_mention": Message,
    "vercel_streaming_slack__ai_mention_with_file": Message,
    "vercel_streaming_slack__button_action": Message,
    "vercel_streaming_slack__prompt_message": Echo,
}


def slack(secret: str = "s") -> Any:
    return account(SlackCredentials(bot_token="xoxb-1", signing_secret=secret))


def parsed(folder: Path, name: str) -> list[InboundEvent]:
    body = (folder / f"channels/vectors/slack/inbound/{name}.json").read_bytes()
    return SLACK.parse(slack(), Request("POST", "https://gw.example.com/hook", {}, body))


def test_every_recorded_payload_has_its_kind(shared_dir: Path) -> None:
    files = (shared_dir / "channels/vectors/slack/inbound").glob("*.json")
    names = {file.stem for file in files if not file.stem.startswith("_meta_")}
    found = {}
    for name in sorted(names - {*NO_EVENT, "chatwoot_incoming_message_builder_spec_L7_private_message_params"}):
        events = parsed(shared_dir, name)
        assert events, name
        found[name] = {type(event.content) for event in events}
        assert all(0 < len(event.id) <= 200 and event.thread for event in events), name
        assert all(event.raw for event in events if isinstance(event.content, Unsupported)), name
    assert found == {name: {kind} for name, kind in KINDS.items()}


@pytest.mark.parametrize("name", NO_EVENT)
def test_a_question_is_no_event(shared_dir: Path, name: str) -> None:
    assert parsed(shared_dir, name) == []


def test_what_another_project_cut_open_is_malformed(shared_dir: Path) -> None:
    with pytest.raises(Malformed, match="event"):
        parsed(shared_dir, "chatwoot_incoming_message_builder_spec_L7_private_message_params")


def test_the_recorded_challenge_is_echoed(shared_dir: Path) -> None:
    path = shared_dir / "channels/vectors/slack/inbound/bolt_test_events_url_verification__event_body.json"
    answer = SLACK.handshake(slack(), Request("POST", "https://gw.example.com/hook", {}, path.read_bytes()))
    assert answer is not None
    assert answer.body.decode() == json.loads(path.read_bytes())["challenge"]


def test_recorded_signatures(shared_dir: Path) -> None:
    cases = json.loads((shared_dir / "channels/vectors/slack/signature.json").read_bytes())["vectors"]
    assert cases
    for case in cases:
        headers = {name.lower(): value for name, value in case["headers"].items()}
        request = Request("POST", "https://gw.example.com/hook", headers, case["body"].encode())
        try:
            SLACK.verify(slack(case["secret"]), request, case["now"])
            valid = True
        except Refused:
            valid = False
        assert valid is case["valid"], case["source"]
