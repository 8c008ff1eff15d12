"""The help desk: people who answer, tickets and what visitors thought of it."""
