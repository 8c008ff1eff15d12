"""Runs jobs: one action after another, each done once."""
