"""Slack."""

from chatbot.channels.providers.slack.adapter import Slack

SLACK = Slack()

__all__ = ["SLACK"]
