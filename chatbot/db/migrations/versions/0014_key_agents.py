"""API keys: a key's successor answers visitors as the agent that the key before it was."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("agent_id", sa.UUID(), nullable=True))


def downgrade() -> None:
    op.drop_column("api_keys", "agent_id")
