"""Every endpoint of the room, for the app that serves them."""

from fastapi import APIRouter

from chatbot.identity.account import endpoints as account
from chatbot.identity.api_keys import endpoints as api_keys
from chatbot.identity.audit import endpoints as audit
from chatbot.identity.brands import endpoints as brands
from chatbot.identity.invitations import endpoints as invitations
from chatbot.identity.oidc import endpoints as oidc
from chatbot.identity.policies import endpoints as policies
from chatbot.identity.policies import versions_endpoints as policy_versions
from chatbot.identity.sign_in import endpoints as sign_in
from chatbot.identity.tenants import endpoints as tenants
from chatbot.identity.users import endpoints as users

router = APIRouter()
for part in (
    sign_in, account, tenants, brands, api_keys, policies, policy_versions, users, invitations, audit, oidc,
):  # fmt: skip
    router.include_router(part.router)
for part in (users, invitations):
    router.include_router(part.by_link)
