"""Every endpoint of the room, for the app that serves them."""

from fastapi import APIRouter

from chatbot.identity.api_keys import endpoints as api_keys
from chatbot.identity.brands import endpoints as brands
from chatbot.identity.policies import endpoints as policies
from chatbot.identity.sign_in import endpoints as sign_in
from chatbot.identity.tenants import endpoints as tenants

router = APIRouter()
for part in (sign_in, tenants, brands, api_keys, policies):
    router.include_router(part.router)
