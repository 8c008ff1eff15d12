"""A credential that does not hold although we know whose it is: for the audit log, which the client does not see."""

from uuid import UUID

from chatbot.core.errors import Unauthenticated


class CredentialRefused(Unauthenticated):
    """401 for a wrong password, a key that was revoked, a token that was used before.

    Attributes:
        whose: `user:<id>`, `api_key:<id>`; empty when it is nobody's.
        tenant_id: of an API key.
    """

    def __init__(self, detail: str, *, whose: str = "", tenant_id: UUID | None = None) -> None:
        super().__init__(detail)
        self.whose = whose
        self.tenant_id = tenant_id
