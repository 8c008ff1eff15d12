"""The outbox: what must be told to providers, in order, again and again until it is, or is a dead letter."""
