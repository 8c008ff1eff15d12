"""One-time codes of one's own account: set up, switched on with a first code, switched off with the password."""

from dataclasses import dataclass

from chatbot.core.clock import utcnow
from chatbot.core.errors import Conflict, InvalidInput
from chatbot.identity import totp
from chatbot.identity.account.service import AccountDesk, person_behind
from chatbot.identity.sign_in.repository import end_sessions
from chatbot.identity.sign_in.second_factor import SecondFactor, forget_codes, new_recovery_codes, recovery_hash
from chatbot.identity.subject import Subject

ISSUER = "Xin"
_IS_ON = "one-time codes are switched on; switch them off first"


@dataclass(frozen=True, slots=True)
class CodesDesk:
    """Serves people who are signed in."""

    account: AccountDesk
    factor: SecondFactor

    async def set_up(self, subject: Subject) -> tuple[str, str]:
        """Make a secret, which counts once a first code was given.

        Returns:
            The secret, and the address that an app reads from a QR code.

        Raises:
            Forbidden: the credential is no person's.
            Conflict: codes are switched on already.
        """
        secret = totp.new_secret()
        async with self.account.database.platform() as session:
            user = await person_behind(session, subject, lock=True)
            if user.totp_enabled:
                raise Conflict(_IS_ON)
            self.factor.seal(user, secret)
            user.totp_last_step = 0
        return secret, totp.otpauth_url(secret, user.email, ISSUER)

    async def enable(self, subject: Subject, code: str) -> list[str]:
        """Switch codes on; every other session of the person ends.

        Returns:
            Recovery codes, which are kept as hashes only.

        Raises:
            Conflict: codes are switched on already, or were never set up.
            InvalidInput: the code is wrong.
        """
        codes = new_recovery_codes()
        async with self.account.database.platform() as session:
            user = await person_behind(session, subject, lock=True)
            if user.totp_enabled:
                raise Conflict(_IS_ON)
            if user.totp_sealed is None:
                raise Conflict("set one-time codes up first")
            if not self.factor.match(user, code):
                raise InvalidInput.field("code", "is wrong; look whether the clock of the device is right")
            user.totp_enabled_at = utcnow()
            user.recovery_hashes = [recovery_hash(each) for each in codes]
            await end_sessions(session, user.id, utcnow(), but=subject.session_id)
        self.account.access.forget()
        return codes

    async def disable(self, subject: Subject, password: str, client_address: str) -> None:
        """Switch codes off; off they stay.

        Raises:
            InvalidInput: the password is wrong.
            TooManyRequests: too many wrong ones.
        """
        await self.account.prove(subject, password, client_address, field="password")
        async with self.account.database.platform() as session:
            forget_codes(await person_behind(session, subject, lock=True))
