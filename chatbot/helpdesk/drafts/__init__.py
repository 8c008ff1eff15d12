"""Drafts: what the bot would answer, for an agent to send or to change."""
