"""Channels as the API shows them."""

from chatbot.channels.errors import ChannelBroken
from chatbot.channels.masking import masked
from chatbot.channels.schemas import ChannelView, FindingView, StateView
from chatbot.channels.service import ChannelRow
from chatbot.channels.widget.options import options_of
from chatbot.core.clock import utcnow


def channel_view(row: ChannelRow) -> ChannelView:
    """Return a channel; secrets are masked."""
    channel, account = row.channel, row.connected.account if row.connected else None
    return ChannelView(
        id=channel.id, tenant_id=channel.tenant_id, brand_id=channel.brand_id, channel_type=channel.channel_type,
        display_name=channel.display_name, enabled=channel.enabled, webhook_url=row.webhook_url,
        credentials=masked(account.credentials) if account else {},
        widget=options_of(channel.configuration) if channel.channel_type == "web" else None,
        live=state_view(row), created_at=channel.created_at, updated_at=channel.updated_at,
    )  # fmt: skip


def state_view(row: ChannelRow) -> StateView:
    """Return how a channel lives."""
    state = row.state
    if row.connected is None:
        return StateView(state="dead", last_event_at=row.last_event_at, last_error=ChannelBroken.title)
    if state is None:
        return StateView(state="idle", last_event_at=row.last_event_at)
    silent = (utcnow() - state.alive_at).total_seconds() if state.alive_at else None
    return StateView(
        state=state.state, last_event_at=row.last_event_at, last_error=state.last_error,
        last_error_at=state.last_error_at, errors=state.errors, rate_limited=state.rate_limited,
        restarts=state.restarts, lag_seconds=None if silent is None else round(silent, 1),
        findings=[FindingView(**finding) for finding in state.findings], checked_at=state.checked_at,
    )  # fmt: skip
