"""Who a channel's bot is: the tenant's policy in force, with what the channel has of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chatbot.channels import repository
from chatbot.channels.bot_profiles.schemas import ChangeBot, PublicBot
from chatbot.channels.service import ChannelRow, ChannelService
from chatbot.core.cache import TimedCache
from chatbot.core.errors import Conflict, NotFound
from chatbot.core.settings import Settings
from chatbot.db.models import Channel
from chatbot.db.sessions import Database
from chatbot.dialogue.voice import own_voice, spoken_persona
from chatbot.identity.policies.schemas import UNNAMED, OwnVoice, Persona, TenantPolicy
from chatbot.identity.policies.service import current_policy
from chatbot.identity.tenants import repository as tenants
from chatbot.identity.tenants.schemas import EmbedTheme
from chatbot.llm.service import available

FRESH_SECONDS = 30.0
"""How old a public list may be, before the minute that a browser keeps it."""

_VOICE = "bot"
_ORIGINS = "allowed_origins"


@dataclass(frozen=True, slots=True)
class Profile:
    """A channel's bot."""

    row: ChannelRow
    brand_name: str
    policy: TenantPolicy
    own: OwnVoice

    @property
    def persona(self) -> Persona:
        """How it speaks, and by which name; the brand's where nobody gave it one."""
        persona = spoken_persona(self.policy.persona, self.own)
        return persona.model_copy(update={"name": self.brand_name}) if persona.name == UNNAMED else persona

    @property
    def allowed_origins(self) -> list[str]:
        """Web pages that may know of it."""
        return list(self.row.channel.configuration.get(_ORIGINS) or ())


class BotProfiles:
    """The bots of all channels."""

    def __init__(self, database: Database, channels: ChannelService, settings: Settings) -> None:
        self._database = database
        self._channels = channels
        self._settings = settings
        self._shown: TimedCache[str, Mapping[str, list[tuple[UUID, UUID]]]] = TimedCache(FRESH_SECONDS)
        self._public: TimedCache[str, list[PublicBot]] = TimedCache(FRESH_SECONDS)

    async def page(
        self, tenant_id: UUID, *, brand_id: UUID | None, channel_type: str | None, before: UUID | None, limit: int
    ) -> list[Profile]:
        """Return the tenant's bots, newest first; one more than the limit when there are more."""
        rows = await self._channels.page(
            tenant_id, brand_id=brand_id, channel_type=channel_type, before=before, limit=limit
        )
        return await self._profiles(tenant_id, rows)

    async def get(self, tenant_id: UUID, channel_id: UUID) -> Profile:
        """Return one bot; raises `NotFound`."""
        return (await self._profiles(tenant_id, [await self._channels.get(tenant_id, channel_id)]))[0]

    async def change(self, tenant_id: UUID, channel_id: UUID, wanted: ChangeBot) -> Profile:
        """Change what is given, from the next turn on.

        Raises:
            NotFound: no such channel.
            Conflict: one of the origins cannot be had, as `require_free` says.
        """
        await self.require_free(tenant_id, wanted.allowed_origins or [])
        async with self._database.tenant(tenant_id) as session:
            channel = await repository.lock_channel(session, channel_id)
            if channel is None:
                raise NotFound("no such channel")
            await repository.configure(session, channel_id, _changes(channel, wanted))
        return await self.get(tenant_id, channel_id)

    def model_of(self, profile: Profile) -> str | None:
        """Return the model that its turns ask first; None: they ask none."""
        if not available(self._settings, tenant_smart_mode=profile.policy.smart_mode):
            return None
        return profile.own.model or self._settings.openai_model

    async def shown_to(self, origin: str | None) -> list[PublicBot]:
        """Return the bots that a web page of this origin may know of; whatever is asked costs a statement at most."""
        shown = self._shown.get("")
        if shown is None:
            shown = await self._read_origins()
            self._shown.put("", shown)
        if origin is None or origin not in shown:
            return []
        public = self._public.get(origin)
        if public is None:
            public = [bot for pair in shown[origin] if (bot := await self._public_bot(*pair))]
            self._public.put(origin, public)
        return public

    async def require_free(self, tenant_id: UUID, origins: Sequence[str]) -> None:
        """Raise `Conflict` when another tenant's bots are shown to one of the origins.

        Nobody smuggles a bot into another's pages; nor is anybody told whose they are.
        """
        if not origins:
            return
        async with self._database.platform() as session:
            taken = await repository.shown_elsewhere(session, _ORIGINS, origins, tenant_id)
        if taken:
            raise Conflict(f"allowed_origins: {min(taken)} is taken already; ask whoever runs the platform")

    async def _read_origins(self) -> Mapping[str, list[tuple[UUID, UUID]]]:
        shown: dict[str, list[tuple[UUID, UUID]]] = {}
        async with self._database.platform() as session:
            for tenant_id, channel_id, origins in await repository.shown_channels(session, _ORIGINS):
                for origin in origins:
                    shown.setdefault(origin, []).append((tenant_id, channel_id))
        return shown

    async def _public_bot(self, tenant_id: UUID, channel_id: UUID) -> PublicBot | None:
        async with self._database.tenant_reader(tenant_id) as session:
            channel, tenant = await repository.get_channel(session, channel_id), await tenants.get_tenant(session)
            if channel is None or tenant is None or not channel.enabled:
                return None
            policy = await current_policy(session)
            brands = await repository.brand_names(session, [channel.brand_id])
        brand = brands[channel.brand_id]
        persona = spoken_persona(policy.persona, own_voice(channel.configuration.get(_VOICE)))
        return PublicBot(
            id=channel.id, brand=brand, channel_type=channel.channel_type,
            display_name=brand if persona.name == UNNAMED else persona.name, greeting=persona.greeting,
            locales=list(policy.languages or (policy.default_language,)),
            theme=EmbedTheme.model_validate(tenant.embed_theme),
        )  # fmt: skip

    async def _profiles(self, tenant_id: UUID, rows: list[ChannelRow]) -> list[Profile]:
        async with self._database.tenant_reader(tenant_id) as session:
            policy = await current_policy(session)
            brands = await repository.brand_names(session, [row.channel.brand_id for row in rows])
        return [
            Profile(row, brands[row.channel.brand_id], policy, own_voice(row.channel.configuration.get(_VOICE)))
            for row in rows
        ]


def _changes(channel: Channel, wanted: ChangeBot) -> dict[str, Any]:
    """Return what is to be entered into the channel's configuration."""
    given = wanted.model_dump(exclude_unset=True)
    changes: dict[str, Any] = {}
    if _ORIGINS in given:
        changes[_ORIGINS] = given.pop(_ORIGINS) or None
    if "persona" in given:
        given |= given.pop("persona") or {"instructions": None, "tone": None}
    if given:
        voice = {**(channel.configuration.get(_VOICE) or {}), **given}
        changes[_VOICE] = {name: value for name, value in voice.items() if value is not None} or None
    return changes
