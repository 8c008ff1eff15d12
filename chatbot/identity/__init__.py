"""Who is asking: tenants, brands, members, roles, tokens, API keys."""
