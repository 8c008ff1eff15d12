"""`xin token`: an admin token for the platform on this machine, by right of reading its signing key."""

from datetime import timedelta
from uuid import UUID

from chatbot.core.errors import InvalidInput
from chatbot.core.settings import Settings
from chatbot.identity.keys import load_keys
from chatbot.identity.subject import Role
from chatbot.identity.tokens import issue_admin_token

LIFETIME = timedelta(hours=1)
"""Such a token cannot be revoked alone (only with its signing key), so it does not live long."""


def mint(settings: Settings, role: Role = Role.PLATFORM_ADMIN, tenant_id: UUID | None = None) -> str:
    """Return an admin token of a role, good for an hour.

    Args:
        settings: whose signing key is used.
        role: any but `visitor`.
        tenant_id: the role's tenant; for a platform admin the one it chats in.

    Raises:
        InvalidInput: a role below platform_admin without a tenant, or the role `visitor`.
        ConfigurationError: the key would be a new one, which no platform knows.
    """
    if role is Role.VISITOR:
        raise InvalidInput.field("role", "visitors get embed tokens, not admin tokens")
    if role is not Role.PLATFORM_ADMIN and tenant_id is None:
        raise InvalidInput.field("tenant_id", f"is needed for the role {role}")
    if not settings.admin_jwt_secret:
        settings.require_data_dir()
    claims = {"role": role.value, "tenant_id": str(tenant_id) if tenant_id else None}
    return issue_admin_token(load_keys(settings), subject="cli", claims=claims, lifetime=LIFETIME)
