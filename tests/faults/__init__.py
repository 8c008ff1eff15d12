"""Faults: processes killed with -9, providers that hang; nothing lost, nothing doubled, nobody else slowed."""
