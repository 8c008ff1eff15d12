"""Channels: where a brand's customers write."""

from typing import Any
from uuid import UUID

from sqlalchemy import String, text
from sqlalchemy.orm import Mapped, mapped_column

from chatbot.db.models.base import EMPTY_OBJECT, Base, ShortText, TenantOwned, Timestamped, owned_by


class Channel(TenantOwned, Timestamped, Base):
    """One way in for one brand; every brand has a `web` channel from its creation."""

    __tablename__ = "channels"
    __table_args__ = (owned_by("brand_id", "brands"),)

    brand_id: Mapped[UUID] = mapped_column(index=True)
    channel_type: Mapped[str] = mapped_column(String(20))
    display_name: Mapped[ShortText]
    configuration: Mapped[dict[str, Any]] = mapped_column(server_default=EMPTY_OBJECT)
    enabled: Mapped[bool] = mapped_column(server_default=text("true"))
