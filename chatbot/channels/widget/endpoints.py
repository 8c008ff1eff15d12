"""`/v1/widget`: what a page's widget asks before it chats; the snippet that puts it on a page."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Request, Response

from chatbot.channels.dependencies import TheWidget
from chatbot.channels.widget import visitor_cookie
from chatbot.channels.widget.schemas import Claimed, EmbedSnippet, Introduce, OpenSession, WidgetConfig, WidgetSession
from chatbot.channels.widget.snippet import embed_snippet
from chatbot.core.errors import NotFound
from chatbot.core.ids import new_id
from chatbot.dialogue.schemas import Locale
from chatbot.identity.dependencies import AppSettings, Caller, ChatCaller, Db, Keys
from chatbot.identity.subject import Role
from chatbot.identity.tenants import repository as tenants
from chatbot.identity.tenants.service import require_tenant
from chatbot.identity.tokens import claims_of

router = APIRouter(tags=["widget"])

PageOrigin = Annotated[str | None, Header(alias="Origin", max_length=300)]
CACHE_SECONDS = 60


@router.get("/v1/widget/config")
async def widget_config(
    request: Request,
    response: Response,
    widget: TheWidget,
    tenant_id: UUID,
    brand_id: UUID | None = None,
    origin: PageOrigin = None,
) -> WidgetConfig:
    """What the widget of a brand shows and offers; for pages that the brand's web channel allows."""
    place = await widget.place(tenant_id, brand_id)
    await widget.let_in(place, origin, host=request.headers.get("host", ""))
    response.headers["Cache-Control"] = f"public, max-age={CACHE_SECONDS}"
    response.headers.append("Vary", "Origin")
    return widget.config(place)


@router.post("/v1/widget/sessions")
async def open_session(
    body: OpenSession, request: Request, response: Response, widget: TheWidget, keys: Keys, origin: PageOrigin = None
) -> WidgetSession:
    """A token of ten minutes for an anonymous visitor, good on the asking page's origin; a cookie knows them again."""
    address = request.client.host if request.client else ""
    place = await widget.open_session(
        body.tenant_id, body.brand_id, origin, host=request.headers.get("host", ""), address=address
    )
    visitor_id = visitor_cookie.visitor_of(request, keys, body.tenant_id) or new_id()
    visitor_cookie.remember(request, response, keys, body.tenant_id, visitor_id)
    response.headers["Cache-Control"] = "no-store"
    return WidgetSession.model_validate(await widget.session_of(place, visitor_id, origin))


@router.post("/v1/widget/sessions/claim")
async def claim_session(
    request: Request, response: Response, subject: ChatCaller, widget: TheWidget, keys: Keys
) -> Claimed:
    """Go on, signed in, with what the anonymous visitor of the cookie began; the cookie is taken away."""
    assert subject.tenant_id
    visitor_id = visitor_cookie.visitor_of(request, keys, subject.tenant_id)
    claimed = await widget.claim(subject, visitor_id)
    visitor_cookie.forget(request, response)
    response.headers["Cache-Control"] = "no-store"
    return Claimed(conversation_ids=claimed)


@router.put("/v1/widget/visitor")
async def introduce_visitor(
    body: Introduce, request: Request, response: Response, subject: ChatCaller, widget: TheWidget
) -> WidgetSession:
    """Say who the visitor is, as the form before the chat asked; the token in the answer takes the old one's place."""
    claims = claims_of(request.headers["authorization"].partition(" ")[2].strip())
    response.headers["Cache-Control"] = "no-store"
    return WidgetSession.model_validate(await widget.introduce(subject, claims, body.fields))


@router.get("/admin/tenants/{tenant_id}/embed_snippet")
async def snippet_of_tenant(
    tenant_id: UUID,
    caller: Caller,
    db: Db,
    settings: AppSettings,
    brand_id: UUID | None = None,
    locale: Locale | None = None,
) -> EmbedSnippet:
    """The lines that put the widget on a page; without a brand it is the tenant's default one."""
    async with db.tenant_reader(caller.reach(tenant_id, Role.VIEWER)) as session:
        await require_tenant(session)
        if brand_id is not None and not await tenants.owns_brand(session, brand_id):
            raise NotFound("no such brand")
    return embed_snippet(settings, tenant_id, brand_id, locale)


@router.get("/admin/embed_snippet/{tenant_id}")
async def snippet(
    tenant_id: UUID,
    caller: Caller,
    db: Db,
    settings: AppSettings,
    brand_id: UUID | None = None,
    locale: Locale | None = None,
) -> EmbedSnippet:
    """As `/admin/tenants/{tenant_id}/embed_snippet`, where older runbooks look for it."""
    return await snippet_of_tenant(tenant_id, caller, db, settings, brand_id, locale)
