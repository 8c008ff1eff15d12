"""The first steps of a tenant: from nothing to a widget that answers."""
