"""Alembic's entry: migrations run as the owner, with a lock timeout so that they never queue behind traffic.

`alembic upgrade head` in a shell is complete: it also makes the roles, the extension and the rights that
`prepare_database` makes when a process or `xin migrate` migrates.
"""

from contextlib import AbstractContextManager, nullcontext

from alembic import context
from sqlalchemy import NullPool, create_engine, text

from chatbot.core.settings import load_settings
from chatbot.db.bootstrap import around_alembic, create_bundled_database
from chatbot.db.models import Base
from chatbot.db.roles import owner_url
from chatbot.db.server import BundledPostgres

_GIVEN = context.config.attributes.get("database_url")
"""The address, where our own code migrates."""


def _database_url() -> str:
    """The address given by our code, else that of the settings (for `alembic upgrade head` in a shell)."""
    if _GIVEN:
        return str(_GIVEN)
    settings = load_settings()
    if settings.database_url:
        return settings.database_url.get_secret_value()
    server = BundledPostgres(settings.data_dir)
    server.start()
    create_bundled_database(server.url)
    return server.url


def _surroundings(database_url: str) -> AbstractContextManager[None]:
    """What a change of the schema needs around it; nothing where our own code sees to that, or nothing is changed."""
    return nullcontext() if _GIVEN or not _changes_the_schema() else around_alembic(database_url)


def _changes_the_schema() -> bool:
    """Whether a revision was asked for (`upgrade`, `downgrade`), as against a word about the present one."""
    try:
        return context.get_revision_argument() is not None
    except KeyError:
        return False


def _include(_object: object, name: str | None, kind: str, _reflected: bool, _compare_to: object) -> bool:
    """The queue's tables are procrastinate's, not our models'."""
    return not (kind == "table" and name is not None and name.startswith("procrastinate_"))


def run() -> None:
    """Migrate over one connection that is closed at the end."""
    database_url = _database_url()
    engine = create_engine(owner_url(database_url), poolclass=NullPool)
    with _surroundings(database_url), engine.connect() as connection:
        connection.execute(text("SET lock_timeout = '10s'"))
        connection.commit()
        context.configure(
            connection=connection, target_metadata=Base.metadata, compare_type=True, include_object=_include
        )
        with context.begin_transaction():
            context.run_migrations()


run()
