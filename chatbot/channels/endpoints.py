"""`/admin/channels`: make, change, test, rotate, remove."""

from dataclasses import asdict
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from chatbot.channels.dependencies import Channels, TheWidget
from chatbot.channels.schemas import (
    ChangeChannel,
    ChannelType,
    ChannelView,
    CreateChannel,
    CreatedChannel,
    FindingView,
    RotatedSecret,
    RotateSecret,
    TestReport,
)
from chatbot.channels.views import channel_view
from chatbot.core.paging import Cursor, Limit, before_id
from chatbot.core.schemas import Page
from chatbot.identity.dependencies import Caller
from chatbot.identity.subject import Role

router = APIRouter(prefix="/admin/channels", tags=["channels"])


@router.post("", status_code=201)
async def create_channel(body: CreateChannel, caller: Caller, channels: Channels) -> CreatedChannel:
    """Connect a channel; its secret is shown this once."""
    row, secret = await channels.create(caller.reach(body.tenant_id, Role.TENANT_ADMIN), body)
    return CreatedChannel(secret=secret, **channel_view(row).model_dump())


@router.get("")
async def list_channels(
    tenant_id: UUID,
    caller: Caller,
    channels: Channels,
    brand_id: UUID | None = None,
    channel_type: Annotated[ChannelType | None, Query()] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[ChannelView]:
    """The channels of a tenant, newest first."""
    rows = await channels.page(
        caller.reach(tenant_id, Role.VIEWER),
        brand_id=brand_id, channel_type=channel_type, before=before_id(cursor), limit=limit,
    )  # fmt: skip
    following = str(rows[limit - 1].channel.id) if len(rows) > limit else None
    return Page(items=[channel_view(row) for row in rows[:limit]], next_cursor=following)


@router.get("/{channel_id}")
async def get_channel(channel_id: UUID, caller: Caller, channels: Channels) -> ChannelView:
    """One channel with its live state."""
    return channel_view(await channels.get(await channels.reach(caller, channel_id, Role.VIEWER), channel_id))


@router.patch("/{channel_id}")
async def change_channel(
    channel_id: UUID, body: ChangeChannel, caller: Caller, channels: Channels, widget: TheWidget
) -> ChannelView:
    """Rename a channel, switch it on or off, choose its widget, or give it new credentials; its conversations stay."""
    tenant_id = await channels.reach(caller, channel_id, Role.TENANT_ADMIN)
    changed = await channels.change(tenant_id, channel_id, body)
    widget.forget()
    return channel_view(changed)


@router.delete("/{channel_id}", status_code=204)
async def delete_channel(channel_id: UUID, caller: Caller, channels: Channels, widget: TheWidget) -> None:
    """Remove a channel: it takes and sends nothing any more; its conversations stay."""
    await channels.delete(await channels.reach(caller, channel_id, Role.TENANT_ADMIN), channel_id)
    widget.forget()


@router.post("/{channel_id}/rotate_secret")
async def rotate_secret(
    channel_id: UUID, caller: Caller, channels: Channels, body: RotateSecret | None = None
) -> RotatedSecret:
    """Make a new secret, shown this once; the one before works for 15 more minutes."""
    tenant_id = await channels.reach(caller, channel_id, Role.TENANT_ADMIN)
    rotated = await channels.rotate(tenant_id, channel_id, body.credentials if body else None)
    return RotatedSecret.model_validate({"id": channel_id, **asdict(rotated)})


@router.post("/{channel_id}/test")
async def test_channel(channel_id: UUID, caller: Caller, channels: Channels) -> TestReport:
    """Ask the provider, and say in words what works and what does not."""
    findings = await channels.test(await channels.reach(caller, channel_id, Role.TENANT_ADMIN), channel_id)
    views = [FindingView.model_validate(finding) for finding in findings]
    return TestReport(ok=all(finding.ok for finding in findings), findings=views)


@router.post("/{channel_id}/register", status_code=204)
async def register_channel(channel_id: UUID, caller: Caller, channels: Channels) -> None:
    """Enter our webhook at the provider."""
    await channels.register(await channels.reach(caller, channel_id, Role.TENANT_ADMIN), channel_id)


@router.post("/{channel_id}/unregister", status_code=204)
async def unregister_channel(channel_id: UUID, caller: Caller, channels: Channels) -> None:
    """Take our webhook away at the provider."""
    await channels.unregister(await channels.reach(caller, channel_id, Role.TENANT_ADMIN), channel_id)
