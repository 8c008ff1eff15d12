"""Conversations know how far their visitor has read."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    column = sa.Column("visitor_read_seq", sa.BigInteger(), server_default=sa.text("0"), nullable=False)
    op.add_column("conversations", column)


def downgrade() -> None:
    op.drop_column("conversations", "visitor_read_seq")
