"""Speed: the search looks up only what it does not know yet."""

from alembic import op

from chatbot.db.search import drop_search_functions, search_functions

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    for statement in (*drop_search_functions(), *search_functions()):
        op.execute(statement)


def downgrade() -> None:
    """Nothing: the functions before take and give the same."""
