"""Conversations and the turn that answers them."""
