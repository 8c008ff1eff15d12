"""The audit log: who did what, in a chain of rows a tenant that shows when one was changed."""
