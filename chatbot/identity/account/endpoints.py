"""`/auth/me`, `/auth/password`, `/auth/totp`: one's own profile, password and one-time codes."""

from fastapi import APIRouter, Request

from chatbot.identity.account.dependencies import Account, Codes
from chatbot.identity.account.schemas import (
    ChangeMe,
    ChangePassword,
    DisableTotp,
    EnableTotp,
    Me,
    RecoveryCodes,
    TotpSecret,
)
from chatbot.identity.dependencies import Caller, client_address

router = APIRouter(prefix="/auth", tags=["auth"])


@router.get("/me")
async def me(caller: Caller, account: Account) -> Me:
    """Who the credential speaks for."""
    return await account.me(caller)


@router.patch("/me")
async def change_me(body: ChangeMe, caller: Caller, account: Account) -> Me:
    """Change one's own name, picture or language."""
    await account.change(caller, body)
    return await account.me(caller)


@router.post("/password", status_code=204)
async def change_password(body: ChangePassword, request: Request, caller: Caller, account: Account) -> None:
    """Change one's own password; every other session ends."""
    current, new = body.current_password.get_secret_value(), body.new_password.get_secret_value()
    await account.change_password(caller, current, new, client_address(request))


@router.post("/totp/setup")
async def set_up_totp(caller: Caller, codes: Codes) -> TotpSecret:
    """Make a secret for an authenticator app; it counts once a first code was given."""
    secret, url = await codes.set_up(caller)
    return TotpSecret(secret=secret, otpauth_url=url)


@router.post("/totp/enable")
async def enable_totp(body: EnableTotp, caller: Caller, codes: Codes) -> RecoveryCodes:
    """Switch one-time codes on; from then on signing in with the password needs one. Every other session ends."""
    return RecoveryCodes(recovery_codes=await codes.enable(caller, body.code))


@router.post("/totp/disable", status_code=204)
async def disable_totp(body: DisableTotp, request: Request, caller: Caller, codes: Codes) -> None:
    """Switch one-time codes off."""
    await codes.disable(caller, body.password.get_secret_value(), client_address(request))
