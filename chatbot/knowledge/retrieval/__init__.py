"""Finds the passages that answer a question, and tells whether there is an answer at all."""
