"""What was deleted and can be brought back for a while."""
