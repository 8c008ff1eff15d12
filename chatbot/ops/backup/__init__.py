"""Backups: what is kept, how it is proven whole, and how it comes back."""
