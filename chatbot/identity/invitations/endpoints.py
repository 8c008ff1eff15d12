"""`/admin/invitations`: invite, list, revoke; `/auth/invitations/accept`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request

from chatbot.core.paging import Cursor, Limit, before_id, cut_page
from chatbot.core.schemas import Page
from chatbot.identity.dependencies import AppSettings, Caller, Db, Resolver, client_address
from chatbot.identity.invitations.acceptance import Acceptance
from chatbot.identity.invitations.schemas import (
    Accepted,
    AcceptInvitation,
    CreateInvitation,
    InvitationView,
    NewInvitation,
)
from chatbot.identity.invitations.service import Invitations
from chatbot.identity.sign_in.dependencies import PasswordGuesses, PasswordHasher
from chatbot.identity.users.dependencies import LinksByMail, Tries

router = APIRouter(prefix="/admin/invitations", tags=["people"])
by_link = APIRouter(prefix="/auth/invitations", tags=["auth"])


async def _invitations(db: Db, settings: AppSettings, mail: LinksByMail) -> Invitations:
    return Invitations(db, settings.orchestrator_public_url, mail)


async def _acceptance(
    db: Db, access: Resolver, passwords: PasswordHasher, guesses: PasswordGuesses, tries: Tries
) -> Acceptance:
    return Acceptance(db, access, passwords, guesses, tries)


TheInvitations = Annotated[Invitations, Depends(_invitations)]


@router.post("", status_code=201)
async def create_invitation(body: CreateInvitation, caller: Caller, invitations: TheInvitations) -> NewInvitation:
    """Invite somebody to a tenant; the link is shown this once, and good once, for seven days."""
    row, link, mailed = await invitations.invite(caller, body)
    return NewInvitation(token=link.token, url=link.url, mailed=mailed, **InvitationView.of(row).model_dump())


@router.get("")
async def list_invitations(
    tenant_id: UUID, caller: Caller, invitations: TheInvitations, limit: Limit = 50, cursor: Cursor = None
) -> Page[InvitationView]:
    """The invitations of a tenant without their tokens, newest first."""
    rows = await invitations.page(caller, tenant_id, before_id(cursor), limit)
    page, following = cut_page(rows, limit)
    return Page(items=[InvitationView.of(row) for row in page], next_cursor=following)


@router.delete("/{invitation_id}", status_code=204)
async def revoke_invitation(invitation_id: UUID, caller: Caller, invitations: TheInvitations) -> None:
    """Revoke an invitation: its link is useless at once."""
    await invitations.revoke(caller, invitation_id)


@by_link.post("/accept")
async def accept_invitation(
    body: AcceptInvitation, request: Request, acceptance: Annotated[Acceptance, Depends(_acceptance)]
) -> Accepted:
    """Become a member; a new person's password is set, a user gives the present one. Then sign in."""
    password = body.password.get_secret_value()
    row = await acceptance.accept(body.token, body.name, password, client_address(request))
    return Accepted(email=row.email, tenant_id=row.tenant_id)
