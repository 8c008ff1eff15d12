"""Languages: a search finds and tells apart the passages in the question's own language."""

from alembic import op

from chatbot.db.search import drop_search_functions, search_functions

revision = "0012"
down_revision = "0009"


def upgrade() -> None:
    for statement in (*drop_search_functions(), *search_functions()):
        op.execute(statement)


def downgrade() -> None:
    """Nothing: the search is also there as it was called before."""
