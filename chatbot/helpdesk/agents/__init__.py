"""Agents: who they are, whether they are there, and what happens to their conversations when they are not."""
