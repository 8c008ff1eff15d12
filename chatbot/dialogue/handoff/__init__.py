"""Handoff: who has the floor of a conversation (bot, queue, person, nobody), how it changes, what visitors are told."""
