"""The whole of a tenant's automation: how it stands, its one switch, the secret of its webhooks."""
