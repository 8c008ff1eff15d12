"""API keys: credentials of a tenant's programs."""
