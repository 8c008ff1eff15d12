"""Taking a tenant out of service: archived, its secrets destroyed, restorable for a while, then purged."""
