"""Notes that agents write to one another beside a conversation."""
