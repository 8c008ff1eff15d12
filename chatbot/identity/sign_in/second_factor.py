"""The second factor of a sign-in: a one-time code of an app, or a recovery code; each is good once."""

import base64
import re
import secrets
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from chatbot.core import crypto
from chatbot.core.clock import utcnow
from chatbot.core.crypto import Vault
from chatbot.core.errors import Unauthenticated
from chatbot.db.models import User
from chatbot.db.sessions import Database
from chatbot.identity import totp
from chatbot.identity.audit.chain import PLATFORM
from chatbot.identity.denied import CredentialRefused
from chatbot.identity.sign_in import repository

RECOVERY_CODES = 10
_RECOVERY_BYTES = 10
_CODE = re.compile(rf"[0-9]{{{totp.DIGITS}}}")
_TOTP_REQUIRED = "totp_required"


class CodeNeeded(Unauthenticated):
    """The password is right; a one-time code is needed too."""

    code: ClassVar[str] = _TOTP_REQUIRED
    title: ClassVar[str] = "A one-time code is needed"


class CodeRefused(CredentialRefused):
    """The password is right; the one-time code is not, or was used before."""

    code: ClassVar[str] = _TOTP_REQUIRED
    title: ClassVar[str] = "A one-time code is needed"


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """Checks codes; secrets are sealed for the person's row."""

    database: Database
    vault: Vault

    def seal(self, user: User, secret: str) -> None:
        """Keep a secret, sealed, in a person's row."""
        user.totp_sealed, user.totp_key_id = self.vault.seal(PLATFORM, user.id, secret), self.vault.key_id

    def match(self, user: User, code: str) -> bool:
        """Whether it is the code of now, or of the step before or after; it is used up then, in the row."""
        if user.totp_sealed is None:
            return False
        secret = self.vault.open(PLATFORM, user.id, user.totp_sealed)
        step = totp.matching_step(secret, code, utcnow(), user.totp_last_step)
        if step is not None:
            user.totp_last_step = step
        return step is not None

    async def take(self, user_id: UUID, given: str) -> None:
        """Use up a one-time code, or a recovery code.

        Raises:
            CodeRefused: it is neither, or was used before.
        """
        code = re.sub(r"[\s-]", "", given).lower()
        async with self.database.platform() as session:
            user = await repository.find_user(session, user_id, lock=True)
            good = user is not None and (self.match(user, code) if _CODE.fullmatch(code) else _recover(user, code))
        if not good:
            raise CodeRefused("the one-time code is wrong or was used already", whose=f"user:{user_id}")


def new_recovery_codes() -> list[str]:
    """Return fresh recovery codes, 80 bits each, in groups of four."""
    texts = (base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode().lower() for _ in range(RECOVERY_CODES))
    return ["-".join(re.findall("....", text)) for text in texts]


def recovery_hash(code: str) -> str:
    """What is stored of a recovery code."""
    return crypto.hash_secret(code.replace("-", ""))


def _recover(user: User, code: str) -> bool:
    left = [kept for kept in user.recovery_hashes if not crypto.same(kept, recovery_hash(code))]
    found = len(left) < len(user.recovery_hashes)
    user.recovery_hashes = left
    return found


def forget_codes(user: User) -> None:
    """Switch a person's one-time codes off."""
    user.totp_sealed = user.totp_key_id = user.totp_enabled_at = None
    user.recovery_hashes = []
