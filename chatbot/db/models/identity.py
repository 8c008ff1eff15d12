"""Tenants, brands, users and their credentials."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from chatbot.core.ids import new_id
from chatbot.db.models.base import EMPTY_ARRAY, EMPTY_OBJECT, Base, CreatedAt, ShortText, TenantOwned, Timestamped


class Tenant(Timestamped, Base):
    """A company. Its row is visible to itself only."""

    __tablename__ = "tenants"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[ShortText]
    timezone: Mapped[str] = mapped_column(String(64), server_default="UTC")
    attributes: Mapped[dict[str, Any]] = mapped_column("metadata", server_default=EMPTY_OBJECT)
    embed_theme: Mapped[dict[str, Any]] = mapped_column(server_default=EMPTY_OBJECT)
    default_brand_id: Mapped[UUID | None]
    deleted_at: Mapped[datetime | None]


class Brand(TenantOwned, Timestamped, Base):
    """A face of a tenant, with knowledge and channels of its own."""

    __tablename__ = "brands"
    __table_args__ = (
        Index("uq_brands_tenant_id_name", "tenant_id", text("lower(name)"), unique=True),
        Index("ix_brands_id", "id"),  # whose is it, for callers that reach several tenants
    )

    name: Mapped[ShortText]


class User(Timestamped, Base):
    """A person who signs in. Global: one person may be a member of several tenants.

    `totp_sealed` holds the secret of one-time codes, sealed for this row; it counts once `totp_enabled_at` is set.
    `totp_last_step` is the step of the last code that was taken: a code is good once. `recovery_hashes` are those of
    the recovery codes that are left. `address_unproved`: whoever chose the password may be another than whose address
    it is; a provider of sign-in that vouches for the address ends that.
    """

    __tablename__ = "users"
    __table_args__ = (
        Index("uq_users_email", text("lower(email)"), unique=True, postgresql_where=text("deleted_at IS NULL")),
        CheckConstraint("status IN ('active', 'suspended')", name="status"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(String(320))
    name: Mapped[ShortText]
    password_hash: Mapped[str | None]
    is_platform_admin: Mapped[bool] = mapped_column(server_default=text("false"))
    status: Mapped[str] = mapped_column(String(20), server_default="active")
    avatar_url: Mapped[str | None]
    locale: Mapped[str | None] = mapped_column(String(35))
    totp_sealed: Mapped[bytes | None]
    totp_key_id: Mapped[str | None] = mapped_column(String(16))
    totp_enabled_at: Mapped[datetime | None]
    totp_last_step: Mapped[int] = mapped_column(server_default=text("0"))
    recovery_hashes: Mapped[list[str]] = mapped_column(server_default=EMPTY_ARRAY)
    address_unproved: Mapped[bool] = mapped_column(server_default=text("false"))
    last_sign_in_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]

    @property
    def totp_enabled(self) -> bool:
        """Whether signing in with a password needs a one-time code too."""
        return self.totp_enabled_at is not None


class Membership(Base):
    """What a user may do in one tenant."""

    __tablename__ = "memberships"
    __table_args__ = (
        CheckConstraint("role IN ('tenant_admin', 'agent', 'viewer')", name="role"),
        Index("ix_memberships_user_id", "user_id"),  # looked up behind each credential
    )

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[str] = mapped_column(String(20))
    created_at: Mapped[CreatedAt]


class UserSession(Base):
    """A signed-in session: a family of refresh tokens of which only the newest is good; any older one ends it.

    `rotated_at` is when the newest took the place of the one before.
    """

    __tablename__ = "user_sessions"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    refresh_hash: Mapped[str] = mapped_column(String(64), unique=True)
    rotated_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    created_at: Mapped[CreatedAt]


class ApiKey(TenantOwned, Base):
    """A key for programs of a tenant; only its hash is kept.

    `agent_id` is the agent as which its program answers visitors; None: one of its own, by the key's id.
    """

    __tablename__ = "api_keys"
    __table_args__ = (CheckConstraint("role IN ('tenant_admin', 'agent', 'viewer')", name="role"),)

    name: Mapped[ShortText]
    role: Mapped[str] = mapped_column(String(20))
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    hint: Mapped[str] = mapped_column(String(24))
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    agent_id: Mapped[UUID | None]
