"""What visitors thought of a conversation: a score and a comment for each time that it was closed."""
