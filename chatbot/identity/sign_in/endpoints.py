"""`/auth/*`: sign in, refresh, sign out, and in which ways."""

from typing import Annotated

from fastapi import APIRouter, Header, Request, Response, Security
from fastapi.security import APIKeyCookie

from chatbot.core.errors import Unauthenticated
from chatbot.identity.dependencies import AppSettings, client_address
from chatbot.identity.sign_in import cookie
from chatbot.identity.sign_in.dependencies import Desk
from chatbot.identity.sign_in.refresh_tokens import ENDED
from chatbot.identity.sign_in.schemas import OidcProvider, Providers, RefreshToken, SignedIn, SignIn, UserView
from chatbot.identity.sign_in.service import SESSION_LIFETIME, Tokens, access_seconds

router = APIRouter(prefix="/auth", tags=["auth"])

_cookie = APIKeyCookie(
    name=cookie.NAME,
    scheme_name="refresh",
    description="Refresh token of the console, in place of the body's.",
    auto_error=False,
)
InCookie = Annotated[str | None, Security(_cookie)]
FromConsole = Annotated[str | None, Header(alias=cookie.HEADER, description="`1`, where the cookie is used.")]


@router.get("/providers")
async def list_providers(settings: AppSettings) -> Providers:
    """The ways to sign in here."""
    oidc = [OidcProvider(id="oidc", name=settings.oidc_name)] if settings.oidc_issuer else []
    return Providers(oidc=oidc)


@router.post("/login")
async def login(
    body: SignIn, request: Request, response: Response, desk: Desk, _console: FromConsole = None
) -> SignedIn:
    """Sign in with address and password. After a few wrong guesses: 429. 401 `totp_required`: with a code, please."""
    if body.cookie:
        cookie.require_console(request)
    tokens = await desk.sign_in(body.email, body.password.get_secret_value(), body.totp, client_address(request))
    return _signed_in(tokens, request, response, in_cookie=body.cookie)


@router.post("/refresh")
async def refresh(
    request: Request,
    response: Response,
    desk: Desk,
    in_cookie: InCookie,
    body: RefreshToken | None = None,
    _console: FromConsole = None,
) -> SignedIn:
    """Exchange the newest refresh token for new tokens. An older one ends the session; after many refused ones: 429."""
    token = _given(request, body, in_cookie)
    if token is None:
        raise Unauthenticated(ENDED)
    tokens = await desk.refresh(token, client_address(request), from_cookie=body is None)
    return _signed_in(tokens, request, response, in_cookie=body is None)


@router.post("/logout", status_code=204)
async def logout(
    request: Request,
    response: Response,
    desk: Desk,
    in_cookie: InCookie,
    body: RefreshToken | None = None,
    _console: FromConsole = None,
) -> None:
    """End the session, where there is one; its access token stops working within 30 s."""
    token = _given(request, body, in_cookie)
    if token is not None:
        await desk.sign_out(token)
    if in_cookie is not None and body is None:
        cookie.clear_cookie(request, response)


def _given(request: Request, body: RefreshToken | None, in_cookie: str | None) -> str | None:
    """Return the refresh token of the body, else of the cookie, else None."""
    if body is not None:
        return body.refresh_token.get_secret_value()
    if in_cookie is not None:
        cookie.require_console(request)
    return in_cookie


def _signed_in(tokens: Tokens, request: Request, response: Response, *, in_cookie: bool) -> SignedIn:
    if in_cookie:
        cookie.set_cookie(request, response, tokens.refresh.text, int(SESSION_LIFETIME.total_seconds()))
    return SignedIn(
        access_token=tokens.access,
        expires_in=access_seconds(),
        refresh_token=None if in_cookie else tokens.refresh.text,
        user=UserView.model_validate(tokens.user),
    )
