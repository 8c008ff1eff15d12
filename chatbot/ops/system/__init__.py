"""The platform as a whole, for whoever operates it."""
