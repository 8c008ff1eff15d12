"""Composition of rooms into processes."""
