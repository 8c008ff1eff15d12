"""Which subject stands behind a credential, as the database says now."""
