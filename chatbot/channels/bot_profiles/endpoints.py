"""`/admin/bots`: who each channel's bot is and how it lives; `/bots.config.json`: what web pages may know."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from starlette.requests import HTTPConnection

from chatbot.channels.bot_profiles.asking_page import asking_origin
from chatbot.channels.bot_profiles.schemas import BotView, ChangeBot, PersonaView, PublicBots
from chatbot.channels.bot_profiles.service import BotProfiles, Profile
from chatbot.channels.dependencies import Channels, TheWidget
from chatbot.channels.schemas import ChannelType
from chatbot.channels.views import state_view
from chatbot.core.paging import Cursor, Limit, before_id
from chatbot.core.schemas import Page
from chatbot.identity.dependencies import AppSettings, Caller
from chatbot.identity.subject import Role

router = APIRouter(tags=["bots"])


async def _profiles(connection: HTTPConnection) -> BotProfiles:
    profiles: BotProfiles = connection.app.state.bot_profiles
    return profiles


Profiles = Annotated[BotProfiles, Depends(_profiles)]


@router.get("/admin/bots")
async def list_bots(
    tenant_id: UUID,
    caller: Caller,
    profiles: Profiles,
    brand_id: UUID | None = None,
    channel_type: Annotated[ChannelType | None, Query()] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[BotView]:
    """Every channel's bot of a tenant, newest first."""
    found = await profiles.page(
        caller.reach(tenant_id, Role.VIEWER),
        brand_id=brand_id, channel_type=channel_type, before=before_id(cursor), limit=limit,
    )  # fmt: skip
    following = str(found[limit - 1].row.channel.id) if len(found) > limit else None
    return Page(items=[_view(profiles, profile) for profile in found[:limit]], next_cursor=following)


@router.get("/admin/bots/{channel_id}")
async def get_bot(channel_id: UUID, caller: Caller, channels: Channels, profiles: Profiles) -> BotView:
    """One channel's bot: its persona, greeting and model in force, and how it lives."""
    tenant_id = await channels.reach(caller, channel_id, Role.VIEWER)
    return _view(profiles, await profiles.get(tenant_id, channel_id))


@router.patch("/admin/bots/{channel_id}")
async def change_bot(
    channel_id: UUID, body: ChangeBot, caller: Caller, channels: Channels, profiles: Profiles, widget: TheWidget
) -> BotView:
    """Give a channel's bot a name, greeting, persona or model of its own; null gives it the tenant's again."""
    tenant_id = await channels.reach(caller, channel_id, Role.TENANT_ADMIN)
    changed = await profiles.change(tenant_id, channel_id, body)
    widget.forget()
    return _view(profiles, changed)


@router.get("/bots.config.json")
async def public_bots(
    request: Request,
    response: Response,
    profiles: Profiles,
    settings: AppSettings,
    origin: Annotated[str | None, Header(max_length=300)] = None,
) -> PublicBots:
    """The bots that the asking web page may show; none for a page that no bot names among its origins.

    A page is known by `Origin`; without it by `Referer`, and without both it is taken for one of this address.
    """
    found = await profiles.shown_to(asking_origin(request, settings))
    response.headers["Cache-Control"] = "public, max-age=60"
    response.headers["Vary"] = "Origin, Referer"
    if origin and found:
        response.headers["Access-Control-Allow-Origin"] = origin
    return PublicBots(bots=found)


def _view(profiles: BotProfiles, profile: Profile) -> BotView:
    channel, persona = profile.row.channel, profile.persona
    return BotView(
        channel_id=channel.id, tenant_id=channel.tenant_id, brand_id=channel.brand_id, brand_name=profile.brand_name,
        channel_type=channel.channel_type, channel_name=channel.display_name, enabled=channel.enabled,
        display_name=persona.name, persona=PersonaView(instructions=persona.instructions, tone=persona.tone),
        greeting=persona.greeting, model=profiles.model_of(profile),
        own=sorted(name for name, value in profile.own if value is not None),
        allowed_origins=profile.allowed_origins, live=state_view(profile.row), created_at=channel.created_at,
        updated_at=channel.updated_at,
    )  # fmt: skip
