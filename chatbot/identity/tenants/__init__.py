"""Tenants: the companies that are served."""
