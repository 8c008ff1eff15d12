"""Outgoing webhooks: an address that is told of the events it chose, with a log of what it was told."""
