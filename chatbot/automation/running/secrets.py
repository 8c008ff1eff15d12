"""Secrets that sign outgoing webhooks: one of a tenant's rules together, one of each webhook of its own.

Made when first needed, shown when made anew.
"""

import base64
import os
from uuid import UUID

from chatbot.automation.running import repository
from chatbot.core.crypto import Vault
from chatbot.db.sessions import TenantSession

_PREFIX = "whsec_"
_BYTES = 32


async def signing_secret(session: TenantSession, vault: Vault, of: UUID) -> str:
    """Return the secret of a webhook, or of the tenant's rules (`of` is the tenant's id); the first call makes it."""
    known = await repository.secret(session, of)
    if known is not None:
        return vault.open(session.tenant_id, of, known.sealed)
    return await _keep(session, vault, of, replace=False)


async def rotate(session: TenantSession, vault: Vault, of: UUID) -> str:
    """Make a new secret and return it; what is sent from now on is signed by it."""
    return await _keep(session, vault, of, replace=True)


async def _keep(session: TenantSession, vault: Vault, of: UUID, *, replace: bool) -> str:
    sealed = vault.seal(session.tenant_id, of, _PREFIX + base64.b64encode(os.urandom(_BYTES)).decode())
    kept = await repository.keep_secret(session, of, sealed, vault.key_id, replace=replace)
    return vault.open(session.tenant_id, of, kept)
