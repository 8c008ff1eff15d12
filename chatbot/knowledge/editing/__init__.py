"""Passages changed by hand: effective at once, until their source is read anew."""
