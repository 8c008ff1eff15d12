"""The widget's door: which page may open it, what it may know, a visitor's token, what a visitor says of themselves."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from chatbot import __version__
from chatbot.channels.widget import repository
from chatbot.channels.widget.options import PreChatField, WidgetOptions, options_of
from chatbot.channels.widget.schemas import WidgetBot, WidgetConfig, WidgetHours, WidgetTheme
from chatbot.core.cache import TimedCache
from chatbot.core.clock import utcnow
from chatbot.core.errors import Forbidden, InvalidInput, NotFound
from chatbot.core.limits import Rate, RateLimits
from chatbot.core.settings import Settings
from chatbot.db.models import Brand, Channel, Tenant
from chatbot.db.sessions import Database
from chatbot.dialogue.voice import own_voice, spoken_persona
from chatbot.identity.access.origins import OriginNotAllowed, Origins
from chatbot.identity.mail import Mail
from chatbot.identity.policies.hours import OpeningHours
from chatbot.identity.policies.schemas import UNNAMED, TenantPolicy
from chatbot.identity.policies.service import current_policy
from chatbot.identity.subject import Role, Subject
from chatbot.identity.tokens import TokenKeys, issue_embed_token

FRESH_SECONDS = 5.0
"""How long a change of the channel, the policy or the tenant may take to be seen by new pages."""

ANONYMOUS = "anon-"
"""Begins the ids that we give; the ids of visitors whom a host page vouches for are the host's own."""

_VISITOR = "visitor:"
_MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Place:
    """A brand's web channel, with everything that its widget is made from; `mail`: its e-mail channel works."""

    tenant: Tenant
    brand: Brand
    channel: Channel
    policy: TenantPolicy
    options: WidgetOptions
    mail: bool


@dataclass(frozen=True, slots=True)
class Session:
    """A visitor's token; `visitor_id` as conversations know the visitor."""

    token: str
    expires_at: datetime
    visitor_id: str


class Widget:
    """The widget of every tenant, for one process."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        keys: TokenKeys,
        origins: Origins,
        limits: RateLimits,
        mail: Mail,
    ) -> None:
        self._database = database
        self._mail = mail
        self._settings = settings
        self._keys = keys
        self._origins = origins
        self._limits = limits
        self._address = Rate("session-address", "sessions from an address", settings.session_limit_address, _MINUTE)
        self._tenant = Rate("session-tenant", "sessions of a tenant", settings.session_limit_tenant, _MINUTE)
        self._places: TimedCache[tuple[UUID, UUID | None], Place] = TimedCache(FRESH_SECONDS)

    async def place(self, tenant_id: UUID, brand_id: UUID | None) -> Place:
        """Return where a page's visitors come in.

        Raises:
            NotFound: no such tenant or brand, or it has no web channel in use.
        """
        known = self._places.get((tenant_id, brand_id))
        if known is None:
            async with self._database.tenant_reader(tenant_id) as session:
                found = await repository.web_channel(session, brand_id)
                if found is None:
                    raise NotFound("no such tenant or brand, or it has no web channel in use")
                tenant, brand, channel = found
                policy, options = await current_policy(session), options_of(channel.configuration)
                mail = await self._mail.ready(session, brand.id)
                known = Place(tenant, brand, channel, policy, options, mail)
            self._places.put((tenant_id, brand_id), known)
        return known

    def forget(self) -> None:
        """Drop what is remembered: after a change in this process, so that it holds here at once."""
        self._places.clear()
        self._origins.forget()

    async def let_in(self, place: Place, origin: str | None, *, host: str) -> None:
        """Let a page open the chat.

        Args:
            origin: None where a browser sends none: a page of ours that reads, or no browser at all.

        Raises:
            OriginNotAllowed: the page is of an origin that the channel does not name.
        """
        if origin is not None:
            await self._origins.check(origin, host=host, tenant_id=place.tenant.id, brand_id=place.brand.id)

    def config(self, place: Place) -> WidgetConfig:
        """Return what a widget may know."""
        policy, options, channel = place.policy, place.options, place.channel
        persona = spoken_persona(policy.persona, own_voice(channel.configuration.get("bot")))
        name = place.brand.name if persona.name == UNNAMED else persona.name
        offers_people = options.features.handoff and policy.handoff.offer
        return WidgetConfig(
            tenant_id=place.tenant.id, brand_id=place.brand.id, channel_id=channel.id, brand_name=place.brand.name,
            bot=WidgetBot(display_name=name, avatar_url=options.avatar_url, greeting=persona.greeting),
            theme=WidgetTheme(
                **place.tenant.embed_theme, scheme=options.scheme, launcher_label=options.launcher_label
            ),
            locales=list(options.locales or policy.languages),
            default_locale=options.default_locale or policy.default_language,
            features=options.features.model_copy(update={"handoff": offers_people}),
            uploads=self._uploads(options), pre_chat=options.pre_chat,
            quick_replies={language: list(texts) for language, texts in options.quick_replies.items()},
            hours=_hours(place), mail=place.mail, gateway_url=self._settings.gateway_url, version=__version__,
        )  # fmt: skip

    async def open_session(
        self, tenant_id: UUID, brand_id: UUID | None, origin: str | None, *, host: str, address: str
    ) -> Place:
        """Count a session that a page asks for, and return where its visitor comes in.

        Raises:
            TooManyRequests: too many from this address, or of this tenant.
            NotFound: as `place`.
            OriginNotAllowed: the page may not, or names no origin.
        """
        await self._limits.take((self._address, address), (self._tenant, str(tenant_id)))
        place = await self.place(tenant_id, brand_id)
        if origin is None:
            raise OriginNotAllowed("Origin: is needed, for sessions are for pages; a server asks for an embed token")
        await self.let_in(place, origin, host=host)
        return place

    async def session_of(self, place: Place, visitor_id: UUID, origin: str | None) -> Session:
        """Return a token for an anonymous visitor, good on pages of one origin."""
        known_as = f"{ANONYMOUS}{visitor_id}"
        async with self._database.tenant_reader(place.tenant.id) as session:
            said = await repository.fields_of(session, f"{_VISITOR}{known_as}")
        token, expires_at = issue_embed_token(
            self._keys, tenant_id=place.tenant.id, brand_id=place.brand.id, visitor={"id": known_as}, said=said,
            origin=origin,
        )  # fmt: skip
        return Session(token, expires_at, known_as)

    async def introduce(self, subject: Subject, claims: Mapping[str, Any], fields: Mapping[str, str]) -> Session:
        """Keep what a visitor says of themselves and return their token anew, with it; it ends when the old one does.

        Args:
            claims: of the visitor's token, verified.

        Raises:
            Forbidden: the caller is no visitor.
            InvalidInput: a field is not asked for, is required and empty, or is not one of the answers.
        """
        tenant_id, brand_id = _of_visitor(subject)
        place = await self.place(tenant_id, brand_id)
        _check_answers(place.options.pre_chat.fields, fields)
        known_as = subject.name.removeprefix(_VISITOR)
        vouched = {**(claims.get("visitor") or {}), "id": known_as}
        async with self._database.tenant(tenant_id) as session:
            said = await repository.keep_fields(session, brand_id, subject.name, fields, vouched)
        if not known_as.startswith(ANONYMOUS):  # with another brand somebody else may have this id
            said = {**(claims.get("said") or {}), **fields}
        token, expires_at = issue_embed_token(
            self._keys, tenant_id=tenant_id, brand_id=brand_id, visitor=vouched, said=said,
            origin=claims.get("origin"), lifetime=timedelta(seconds=claims["exp"] - utcnow().timestamp()),
        )  # fmt: skip
        return Session(token, expires_at, known_as)

    async def claim(self, subject: Subject, anonymous: UUID | None) -> list[UUID]:
        """Give what an anonymous visitor began with a brand to the same person, whom a host page vouches for now.

        Args:
            anonymous: who the cookie says; None: there is nobody to be.

        Returns:
            The conversations, by their ids.

        Raises:
            Forbidden: the caller is no visitor, or an anonymous one too.
        """
        tenant_id, brand_id = _of_visitor(subject)
        if subject.name.startswith(f"{_VISITOR}{ANONYMOUS}"):
            raise Forbidden("this is for visitors for whom a host page vouches")
        if anonymous is None:
            return []
        claimant = {**subject.visitor, "subject": subject.name}
        async with self._database.tenant(tenant_id) as session:
            return await repository.claim(session, brand_id, f"{_VISITOR}{ANONYMOUS}{anonymous}", claimant)

    def _uploads(self, options: WidgetOptions) -> Any:
        limit = min(options.uploads.max_bytes, self._settings.max_upload_bytes)
        return options.uploads.model_copy(update={"max_bytes": limit})


def _of_visitor(subject: Subject) -> tuple[UUID, UUID]:
    """Return tenant and brand of a visitor; raises `Forbidden` for everybody else."""
    if subject.role is not Role.VISITOR or subject.brand_id is None or subject.tenant_id is None:
        raise Forbidden("this is for visitors, with a token of theirs")
    return subject.tenant_id, subject.brand_id


def _hours(place: Place) -> WidgetHours:
    opening, now = OpeningHours.of(place.policy.hours, place.tenant.timezone), utcnow()
    return WidgetHours(
        open_now=opening.open_now(now), next_open_at=opening.next_open(now), message=place.policy.hours.closed_message
    )


def _check_answers(asked: tuple[PreChatField, ...], given: Mapping[str, str]) -> None:
    by_name = {field.name: field for field in asked}
    for name in given:
        if name not in by_name:
            raise InvalidInput.field(f"fields.{name}"[:200], "is not asked for")
    for name, field in by_name.items():
        answer = given.get(name, "").strip()
        if field.required and not answer:
            raise InvalidInput.field(f"fields.{name}", "is required")
        if answer and field.type == "select" and answer not in field.options:
            raise InvalidInput.field(f"fields.{name}", f"must be one of: {', '.join(field.options)}")
        if answer and field.type == "email" and not _looks_like_mail(answer):
            raise InvalidInput.field(f"fields.{name}", "must be an e-mail address")


def _looks_like_mail(text: str) -> bool:
    name, at, host = text.rpartition("@")
    return bool(name and at and "." in host and not any(part.isspace() for part in text))
