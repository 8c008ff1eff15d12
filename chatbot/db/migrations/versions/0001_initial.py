"""The first schema: tenants, knowledge, dialogue, usage, the queue, and row-level security on all of it."""

from alembic import op
from procrastinate.schema import SchemaManager

from chatbot.db.models import Base
from chatbot.db.rls import platform_only, protect
from chatbot.db.roles import APP_ROLE, PLATFORM_ROLE
from chatbot.db.search import drop_search_functions, search_functions, search_storage

revision = "0001"
down_revision = None


def upgrade() -> None:
    bind = op.get_bind()
    op.execute("CREATE EXTENSION IF NOT EXISTS vector")
    op.execute(f"GRANT USAGE ON SCHEMA public TO {APP_ROLE}, {PLATFORM_ROLE}")
    Base.metadata.create_all(bind)
    for statement in _security():
        op.execute(statement)
    for statement in [*search_storage(), *search_functions()]:
        op.execute(statement)
    _run_script(SchemaManager.get_schema())
    for statement in _queue_grants():
        op.execute(statement)


def downgrade() -> None:
    for kind, name in _queue_objects():
        op.execute(f"DROP {kind} IF EXISTS {name} CASCADE")
    for statement in drop_search_functions():
        op.execute(statement)
    Base.metadata.drop_all(op.get_bind())


def _run_script(script: str) -> None:
    """Run several statements as they are: through SQLAlchemy a `%` in them would be read as a parameter."""
    driver = op.get_bind().connection.driver_connection
    assert driver is not None
    driver.execute(script)


def _security() -> list[str]:
    statements = protect("tenants", column="id")
    for table in Base.metadata.sorted_tables:
        if table.name == "tenants":
            continue
        statements += protect(table.name) if "tenant_id" in table.columns else platform_only(table.name)
    # The event log is append-only for everybody.
    statements.append(f"REVOKE UPDATE, DELETE ON events FROM {APP_ROLE}")
    return statements


def _queue_grants() -> list[str]:
    """Tenant sessions may only enqueue; fetching and finishing is the platform's."""
    return [
        (
            "GRANT SELECT, INSERT, UPDATE, DELETE ON procrastinate_jobs, procrastinate_events, "
            f"procrastinate_periodic_defers, procrastinate_workers TO {PLATFORM_ROLE}"
        ),
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {PLATFORM_ROLE}",
        (
            "ALTER FUNCTION procrastinate_defer_jobs_v1(procrastinate_job_to_defer_v1[]) "
            "SECURITY DEFINER SET search_path = public, pg_temp"
        ),
    ]


def _queue_objects() -> list[tuple[str, str]]:
    names = r"LIKE 'procrastinate\_%%'"
    rows = op.get_bind().exec_driver_sql(
        f"SELECT 'FUNCTION', p.oid::regprocedure::text FROM pg_proc p WHERE p.proname {names} "
        f"UNION ALL SELECT 'TABLE', c.oid::regclass::text FROM pg_class c WHERE c.relname {names} AND c.relkind = 'r' "
        f"UNION ALL SELECT 'TYPE', t.oid::regtype::text FROM pg_type t WHERE t.typname {names} AND t.typtype = 'e' "
        "UNION ALL SELECT 'TYPE', t.oid::regtype::text FROM pg_type t "
        f"JOIN pg_class c ON c.oid = t.typrelid WHERE t.typname {names} AND c.relkind = 'c'"
    )
    return [(str(kind), str(name)) for kind, name in rows]
