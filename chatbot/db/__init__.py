"""The database: the bundled server, sessions scoped to a tenant, models and migrations."""
