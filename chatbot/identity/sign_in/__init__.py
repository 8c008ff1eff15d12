"""Signing in with a password, and staying signed in by rotating refresh tokens."""
