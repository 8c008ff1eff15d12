"""Links that are handed to people: invitations to a tenant, and new passwords. Only hashes of their tokens are kept."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from chatbot.core.ids import new_id
from chatbot.db.models.base import Base, CreatedAt, ShortText, TenantOwned


class Invitation(TenantOwned, Base):
    """Somebody is asked to become a member of a tenant."""

    __tablename__ = "invitations"
    __table_args__ = (
        CheckConstraint("role IN ('tenant_admin', 'agent', 'viewer')", name="role"),
        Index("ix_invitations_id", "id"),  # whose is it, for callers that reach several tenants
    )

    email: Mapped[str] = mapped_column(String(320))
    name: Mapped[ShortText]
    role: Mapped[str] = mapped_column(String(20))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    invited_by: Mapped[ShortText]
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    created_at: Mapped[CreatedAt]


class PasswordReset(Base):
    """A person may choose a new password, once."""

    __tablename__ = "password_resets"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    created_at: Mapped[CreatedAt]
