"""The database's own catalogue: nothing goes round row-level security."""

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql

from chatbot.core.ids import new_id
from chatbot.db.roles import APP_ROLE, PLATFORM_ROLE, conninfo, role_url

ROLES = (APP_ROLE, PLATFORM_ROLE)
SEARCH = {
    "xin_candidates_any",
    "xin_candidates_all",
    "xin_nearest",
    "xin_nearest_indexed",
    "xin_search",
    "xin_similar_words",
    "xin_find_messages",
}
"""Functions of the platform role that search below row-level security; each narrows to the session's tenant itself."""

SECURITY_DEFINER = SEARCH | {"procrastinate_defer_jobs_v1"}
"""Functions that may run as their owner; beside those above, the one by which a tenant enqueues."""

QUEUE = r"c.relname NOT LIKE 'procrastinate\_%'"
"""The queue's tables are the platform's: a tenant can only enqueue, by a function."""

Connection = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture(scope="module")
def owner(database_url: str) -> Iterator[Connection]:
    """A connection that sees the whole catalogue."""
    with psycopg.connect(database_url, autocommit=True) as opened:
        yield opened


def _column(connection: Connection, query: str, *values: object) -> set[str]:
    return {str(row[0]) for row in connection.execute(query.encode(), values or None)}


def _tables(connection: Connection) -> set[str]:
    return _column(
        connection,
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        f"WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND c.relname <> 'alembic_version' AND {QUEUE}",
    )


def _tenant_tables(connection: Connection) -> set[str]:
    return {"tenants"} | _column(
        connection,
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped "
        "WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p')",
    )


def test_every_table_forces_row_level_security(owner: Connection) -> None:
    forced = _column(owner, "SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity")
    assert len(_tables(owner)) > 15
    assert _tables(owner) - forced == set()


def test_a_tenants_policies_name_the_tenant(owner: Connection) -> None:
    rows = owner.execute(
        "SELECT tablename, policyname, roles::text[], permissive, cmd, qual, with_check FROM pg_policies"
    ).fetchall()
    bound = set()
    for table, name, roles, permissive, command, using, check in rows:
        assert roles in ([APP_ROLE], [PLATFORM_ROLE]), f"{table}.{name} is for {roles}"
        if roles == [APP_ROLE]:
            assert "NULLIF(current_setting('xin.tenant_id'" in using, f"{table}.{name}"
            assert check == using, f"{table}.{name} lets a tenant write what it cannot see"
            assert (permissive, command) == ("PERMISSIVE", "ALL")
            bound.add(table)
    assert bound == _tenant_tables(owner)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_owns_nothing_and_bypasses_nothing(owner: Connection, role: str) -> None:
    powers = owner.execute(
        "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication FROM pg_roles WHERE rolname = %s",
        (role,),
    ).fetchone()
    assert powers == (False,) * 5
    assert _column(owner, "SELECT relname FROM pg_class WHERE relowner = %s::regrole", role) == set()
    functions = _column(owner, "SELECT proname FROM pg_proc WHERE proowner = %s::regrole", role)
    assert functions <= (SEARCH if role == PLATFORM_ROLE else set())
    assert _column(owner, "SELECT nspname FROM pg_namespace WHERE nspowner = %s::regrole", role) == set()
    assert _column(owner, "SELECT roleid::regrole FROM pg_auth_members WHERE member = %s::regrole", role) == set()


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("power", ["TRUNCATE", "TRIGGER", "REFERENCES", "MAINTAIN"])
def test_a_role_cannot_go_round_policies_by_another_right(owner: Connection, role: str, power: str) -> None:
    if power == "MAINTAIN" and owner.info.server_version < 170000:
        pytest.skip("MAINTAIN is a right of PostgreSQL 17 and later")
    granted = _column(
        owner,
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v', 'm') AND has_table_privilege(%s, c.oid, %s)",
        role,
        power,
    )
    assert granted == set()


@pytest.mark.parametrize("role", ROLES)
def test_a_role_makes_nothing_in_the_schema(owner: Connection, role: str) -> None:
    assert owner.execute("SELECT has_schema_privilege(%s, 'public', 'CREATE')", (role,)).fetchone() == (False,)


def test_a_tenant_reads_no_table_without_a_tenant(owner: Connection) -> None:
    everything = _column(
        owner,
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v', 'm') "
        "AND (has_table_privilege(%s, c.oid, 'SELECT,INSERT,UPDATE,DELETE') "
        "OR has_any_column_privilege(%s, c.oid, 'SELECT,INSERT,UPDATE'))",
        APP_ROLE,
        APP_ROLE,
    )
    assert everything == _tenant_tables(owner)


def test_the_event_log_is_append_only_for_tenants(owner: Connection) -> None:
    for power in ("UPDATE", "DELETE"):
        assert owner.execute("SELECT has_table_privilege(%s, 'events', %s)", (APP_ROLE, power)).fetchone() == (False,)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("power", ["UPDATE", "DELETE", "TRUNCATE"])
def test_the_audit_log_takes_rows_and_gives_none_up(owner: Connection, role: str, power: str) -> None:
    granted = "SELECT has_table_privilege(%s, 'audit_events', %s)"
    assert owner.execute(granted, (role, power)).fetchone() == (False,)
    assert owner.execute(granted, (role, "INSERT")).fetchone() == (True,)
    columns = "SELECT has_any_column_privilege(%s, 'audit_events', 'UPDATE')"
    assert owner.execute(columns, (role,)).fetchone() == (False,)


def test_keys_begin_with_the_tenant(owner: Connection) -> None:
    loose = _column(
        owner,
        "SELECT c.conrelid::regclass || ': ' || c.conname FROM pg_constraint c "
        "JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attname = 'tenant_id' "
        "WHERE c.contype IN ('p', 'f') AND c.connamespace = 'public'::regnamespace AND NOT c.conkey @> ARRAY[a.attnum]",
    )
    # A membership joins a tenant to a user, who belongs to none.
    assert loose == {"memberships: fk_memberships_user_id"}


def test_views_run_as_whoever_asks(owner: Connection) -> None:
    views = _column(
        owner,
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' "
        "AND (c.relkind = 'm' OR c.relkind = 'v' AND NOT coalesce(c.reloptions, '{}') @> '{security_invoker=true}')",
    )
    assert views == set()


def test_functions_that_run_as_their_owner_are_known_and_pinned(owner: Connection) -> None:
    rows = owner.execute("SELECT proname, coalesce(proconfig, '{}') FROM pg_proc WHERE prosecdef").fetchall()
    assert {str(name) for name, _ in rows} <= SECURITY_DEFINER
    for name, configuration in rows:
        assert "search_path=public, pg_temp" in configuration, f"{name} has no fixed search_path"


def test_functions_that_search_take_the_tenant_from_the_session(owner: Connection) -> None:
    query = "SELECT proname, prosrc, pg_get_function_identity_arguments(oid) FROM pg_proc WHERE proname = ANY (%s)"
    rows = owner.execute(query, (sorted(SEARCH),)).fetchall()
    assert {str(name) for name, _, _ in rows} == SEARCH
    for name, body, arguments in rows:
        assert "tenant uuid := NULLIF(current_setting('xin.tenant_id', true), '')::uuid;" in body, name
        tables = re.findall(
            r"\b(?:FROM|JOIN) (?:passages|passage_vectors|term_statistics|knowledge_sources|message_terms) \w\b", body
        )
        narrowed = re.findall(r"\btenant_id (?:=|IS NOT DISTINCT FROM) (?:tenant|\$1|v\.tenant_id)\b", body)
        assert len(tables) == len(narrowed), name
        assert tables or "FROM xin_search(" in body, name
        assert "tenant" not in arguments, f"{name} lets its caller name a tenant"


def test_a_tenant_session_without_a_tenant_sees_no_row(database_url: str, owner: Connection) -> None:
    owner.execute("INSERT INTO tenants (id, name) VALUES (%s, 'Seen by nobody')", (new_id(),))
    with psycopg.connect(conninfo(role_url(database_url, APP_ROLE)), autocommit=True) as app:
        for table in sorted(_tenant_tables(owner)):
            query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
            assert app.execute(query).fetchone() == (0,), table
        app.execute("SELECT set_config('xin.tenant_id', '', false)")
        assert app.execute("SELECT count(*) FROM tenants").fetchone() == (0,)


def test_a_new_table_is_noticed(owner: Connection) -> None:
    owner.execute("CREATE TABLE forgotten (tenant_id uuid, id uuid)")
    try:
        with pytest.raises(AssertionError):
            test_every_table_forces_row_level_security(owner)
        with pytest.raises(AssertionError):
            test_a_tenants_policies_name_the_tenant(owner)
    finally:
        owner.execute("DROP TABLE forgotten")
