"""Row-level security as SQL, for migrations: one policy per role, forced even on the owner."""

from chatbot.db.roles import APP_ROLE, PLATFORM_ROLE

_CURRENT = "NULLIF(current_setting('xin.tenant_id', true), '')::uuid"


def protect(table: str, *, column: str = "tenant_id") -> list[str]:
    """Return the statements that bind a tenant-owned table to the session's tenant.

    An unset tenant makes the comparison null: such a session sees nothing and writes nothing.
    """
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        (
            f"CREATE POLICY tenant_only ON {table} TO {APP_ROLE} "
            f"USING ({column} = {_CURRENT}) WITH CHECK ({column} = {_CURRENT})"
        ),
        f"CREATE POLICY platform_all ON {table} TO {PLATFORM_ROLE} USING (true) WITH CHECK (true)",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {APP_ROLE}, {PLATFORM_ROLE}",
    ]


def platform_only(table: str) -> list[str]:
    """Return the statements for a table of no tenant: `xin_app` cannot even read it."""
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY platform_all ON {table} TO {PLATFORM_ROLE} USING (true) WITH CHECK (true)",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {PLATFORM_ROLE}",
    ]
