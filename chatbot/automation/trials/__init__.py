"""What rules would do, without doing it."""
