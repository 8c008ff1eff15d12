"""Alembic's entry: migrations run as the owner, with a lock timeout so that they never queue behind traffic."""

from pathlib import Path

from alembic import context
from sqlalchemy import NullPool, create_engine, text

from chatbot.core.settings import load_settings
from chatbot.db.models import Base
from chatbot.db.roles import owner_url
from chatbot.db.server import BundledPostgres


def _database_url() -> str:
    """The address given by our code, else that of the settings (for `alembic upgrade head` in a shell)."""
    given = context.config.attributes.get("database_url")
    if given:
        return str(given)
    settings = load_settings(Path(".env"))
    if settings.database_url:
        return settings.database_url.get_secret_value()
    server = BundledPostgres(settings.data_dir)
    server.start()
    return server.url


def _include(_object: object, name: str | None, kind: str, _reflected: bool, _compare_to: object) -> bool:
    """The queue's tables are procrastinate's, not our models'."""
    return not (kind == "table" and name is not None and name.startswith("procrastinate_"))


def run() -> None:
    """Migrate over one connection that is closed at the end."""
    engine = create_engine(owner_url(_database_url()), poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text("SET lock_timeout = '10s'"))
        connection.commit()
        context.configure(
            connection=connection, target_metadata=Base.metadata, compare_type=True, include_object=_include
        )
        with context.begin_transaction():
            context.run_migrations()


run()
