"""The generic webhook: any program that can sign a POST."""

from chatbot.channels.providers.webhook.adapter import Webhook
from chatbot.channels.providers.webhook.credentials import WebhookCredentials

WEBHOOK = Webhook()

__all__ = ["WEBHOOK", "Webhook", "WebhookCredentials"]
