"""Conversations as agents see them: queues, counts, one with its messages, and why the bot said what it said."""
