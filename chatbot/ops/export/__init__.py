"""Exports: everything of a tenant, line by line, to be gone on with where a connection broke."""
