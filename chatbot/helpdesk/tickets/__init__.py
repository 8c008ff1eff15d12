"""Tickets: a visitor's problem that somebody follows until it is solved, with its clocks, comments and mails."""
