"""The inbox: what providers tell us, stored once, in one transaction with the work that follows from it."""
