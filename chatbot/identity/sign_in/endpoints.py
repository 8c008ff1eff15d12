"""`/auth/*`: sign in, refresh, sign out, who am I."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from chatbot.identity.dependencies import Caller, Db, Resolver
from chatbot.identity.sign_in import service
from chatbot.identity.sign_in.schemas import Me, MembershipView, RefreshToken, SignedIn, SignIn, UserView

router = APIRouter(prefix="/auth", tags=["auth"])


async def _desk(request: Request, access: Resolver) -> service.SignInDesk:
    state = request.app.state
    known: service.SignInDesk | None = getattr(state, "sign_in_desk", None)
    if known is None:
        known = state.sign_in_desk = service.SignInDesk(state.database, state.keys, access, state.sign_in_limits)
    return known


Desk = Annotated[service.SignInDesk, Depends(_desk)]


@router.post("/login")
async def login(body: SignIn, request: Request, desk: Desk) -> SignedIn:
    """Sign in with address and password. After a few wrong guesses: 429."""
    return await desk.sign_in(body.email, body.password.get_secret_value(), _client(request))


@router.post("/refresh")
async def refresh(body: RefreshToken, request: Request, desk: Desk) -> SignedIn:
    """Exchange the newest refresh token for new tokens. An older one ends the session; after many refused ones: 429."""
    return await desk.refresh(body.refresh_token.get_secret_value(), _client(request))


@router.post("/logout", status_code=204)
async def logout(body: RefreshToken, desk: Desk) -> None:
    """End the session; its access token stops working within 30 s."""
    await desk.sign_out(body.refresh_token.get_secret_value())


@router.get("/me")
async def me(caller: Caller, db: Db) -> Me:
    """Who the credential speaks for."""
    user = await service.find_user(db, caller.name)
    return Me(
        subject=caller.name,
        role=caller.role,
        tenant_id=caller.tenant_id,
        memberships=[MembershipView(tenant_id=key, role=role) for key, role in caller.memberships.items()],
        user=UserView.model_validate(user) if user else None,
    )


def _client(request: Request) -> str:
    return request.client.host if request.client else "unknown"
