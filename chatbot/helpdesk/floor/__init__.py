"""What agents do to a conversation: take it, give it, say something, close it."""
