"""`/admin/users`: people, and what they may do where; `/auth/password/reset`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request

from chatbot.core.paging import Cursor, Limit, before_id, cut_page
from chatbot.core.schemas import Page
from chatbot.identity.dependencies import Caller, client_address
from chatbot.identity.subject import Role
from chatbot.identity.users.dependencies import PasswordResets, ThePeople
from chatbot.identity.users.schemas import (
    ChangeUser,
    ChooseNewPassword,
    PersonView,
    PutMembership,
    ResetLink,
    UserStatus,
)

router = APIRouter(prefix="/admin/users", tags=["people"])
by_link = APIRouter(prefix="/auth", tags=["auth"])

Search = Annotated[str | None, Query(max_length=200, description="Part of the name or the address.")]


@router.get("")
async def list_users(
    caller: Caller,
    people: ThePeople,
    tenant_id: UUID | None = None,
    status: UserStatus | None = None,
    q: Search = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[PersonView]:
    """The people of a tenant, or of all whom the caller administers, newest first; deleted ones when asked for."""
    rows = await people.page(caller, tenant_id, status, q, before_id(cursor), limit)
    page, following = cut_page(rows, limit)
    return Page(items=[PersonView.of(row) for row in page], next_cursor=following)


@router.get("/{user_id}")
async def get_user(user_id: UUID, caller: Caller, people: ThePeople) -> PersonView:
    """One person."""
    return PersonView.of(await people.get(caller, user_id))


@router.patch("/{user_id}")
async def change_user(user_id: UUID, body: ChangeUser, caller: Caller, people: ThePeople) -> PersonView:
    """Change a person; what is left out stays."""
    return PersonView.of(await people.change(caller, user_id, body))


@router.delete("/{user_id}", status_code=204)
async def delete_user(user_id: UUID, caller: Caller, people: ThePeople) -> None:
    """Delete a person: out within a minute, and for some weeks to be restored."""
    await people.delete(caller, user_id)


@router.post("/{user_id}/suspend")
async def suspend_user(user_id: UUID, caller: Caller, people: ThePeople) -> PersonView:
    """Shut a person out, within a minute."""
    return PersonView.of(await people.suspend(caller, user_id))


@router.post("/{user_id}/activate")
async def activate_user(user_id: UUID, caller: Caller, people: ThePeople) -> PersonView:
    """Let a suspended person in again."""
    return PersonView.of(await people.activate(caller, user_id))


@router.post("/{user_id}/restore")
async def restore_user(user_id: UUID, caller: Caller, people: ThePeople) -> PersonView:
    """Bring a deleted person back, with the memberships of before."""
    return PersonView.of(await people.restore(caller, user_id))


@router.post("/{user_id}/reset_password")
async def reset_password(user_id: UUID, caller: Caller, resets: PasswordResets) -> ResetLink:
    """Make a link to choose a new password, to be handed to the person."""
    link, ends, mailed = await resets.make(caller, user_id)
    return ResetLink(reset_url=link.url, token=link.token, expires_at=ends, mailed=mailed)


@router.post("/{user_id}/reset_totp")
async def reset_totp(user_id: UUID, caller: Caller, people: ThePeople) -> PersonView:
    """Switch a person's one-time codes off, who has lost app and recovery codes."""
    return PersonView.of(await people.forget_codes(caller, user_id))


@router.put("/{user_id}/memberships/{tenant_id}")
async def put_membership(
    user_id: UUID, tenant_id: UUID, body: PutMembership, caller: Caller, people: ThePeople
) -> PersonView:
    """Make a person a member of a tenant, or change the role there."""
    return PersonView.of(await people.put_membership(caller, user_id, tenant_id, Role(body.role)))


@router.delete("/{user_id}/memberships/{tenant_id}", status_code=204)
async def delete_membership(user_id: UUID, tenant_id: UUID, caller: Caller, people: ThePeople) -> None:
    """Take a person out of a tenant."""
    await people.delete_membership(caller, user_id, tenant_id)


@by_link.post("/password/reset", status_code=204)
async def choose_new_password(body: ChooseNewPassword, request: Request, resets: PasswordResets) -> None:
    """Choose a new password by a link; every session ends. Unknown, used and expired links get the same answer."""
    await resets.choose(body.token, body.password.get_secret_value(), client_address(request))
