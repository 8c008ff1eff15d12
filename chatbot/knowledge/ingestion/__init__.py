"""Ingestion: from a stored file or an address to passages that answer, in slices that can be stopped and resumed."""
