"""Measurements: `make bench` runs them all; each also runs on its own."""
