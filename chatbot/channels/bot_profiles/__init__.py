"""Bots as administrators and web pages see them: who a channel's bot is, what is its own, where it may be shown."""
