"""Channels: where customers write; one message model, an inbox and an outbox for every provider."""
