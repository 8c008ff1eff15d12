"""`/auth/oidc/*`: to the provider and back, in a browser."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse

from chatbot.core.errors import NotFound
from chatbot.identity.audit.denials import Denials
from chatbot.identity.dependencies import AppSettings, Db, Resolver, client_address
from chatbot.identity.oidc import attempt as attempts
from chatbot.identity.oidc.arrival import arrive
from chatbot.identity.oidc.attempt import Attempt
from chatbot.identity.oidc.errors import OidcRefused
from chatbot.identity.oidc.provider import OidcProvider
from chatbot.identity.sign_in import cookie
from chatbot.identity.sign_in.dependencies import Desk
from chatbot.identity.sign_in.service import SESSION_LIFETIME

router = APIRouter(prefix="/auth/oidc", tags=["auth"])
PROVIDER_ID = "oidc"
_SIGN_IN_PAGE = "/console/signin"


async def _provider(provider: str, request: Request) -> OidcProvider:
    found: OidcProvider | None = request.app.state.oidc
    if provider != PROVIDER_ID or found is None:
        raise NotFound("no such provider of sign-in")
    return found


async def _denials(request: Request) -> Denials:
    denials: Denials = request.app.state.denials
    return denials


Provider = Annotated[OidcProvider, Depends(_provider)]
Given = Annotated[str | None, Query(max_length=4000)]


@router.get("/{provider}/start", status_code=302, response_class=RedirectResponse)
async def start_oidc(
    found: Provider,
    request: Request,
    next: Annotated[str, Query(max_length=500)] = "/console/",  # noqa: A002
) -> RedirectResponse:
    """Go to the provider to sign in, and in the end to `next`, a page of the console."""
    attempt = Attempt.to(next)
    response = RedirectResponse(await found.authorize_url(attempt), status_code=302)
    attempt.keep(request, response, request.app.state.vault)
    return response


@router.get("/{provider}/callback", status_code=302, response_class=RedirectResponse)
async def finish_oidc(
    found: Provider,
    request: Request,
    db: Db,
    access: Resolver,
    desk: Desk,
    denials: Annotated[Denials, Depends(_denials)],
    settings: AppSettings,
    code: Given = None,
    state: Given = None,
    error: Given = None,
) -> RedirectResponse:
    """Come back from the provider, signed in, or to the sign-in page with `#error=` and why not."""
    base = settings.orchestrator_public_url
    try:
        attempt = Attempt.of(request, request.app.state.vault, state)
        identity = await found.redeem(None if error else code, attempt)
        user = await arrive(db, access, identity, client_address(request))
        tokens = await desk.begin_session(user, "oidc", client_address(request))
    except OidcRefused as refused:
        response = RedirectResponse(f"{base}{_SIGN_IN_PAGE}#error={refused.code}", status_code=302)
        response.background = denials.task(request, refused)
    else:
        response = RedirectResponse(f"{base}{attempt.next}", status_code=302)
        cookie.set_cookie(request, response, tokens.refresh.text, int(SESSION_LIFETIME.total_seconds()))
    attempts.forget(request, response)
    return response
