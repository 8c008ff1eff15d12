"""Passwords of people, checked while wrong guesses are counted."""

from chatbot.core.limits import Bucket, Rate, RateLimits
from chatbot.core.logging import get_logger
from chatbot.db.models import User
from chatbot.db.sessions import Database
from chatbot.identity.denied import CredentialRefused
from chatbot.identity.passwords import Passwords
from chatbot.identity.sign_in import repository

log = get_logger(__name__)

GUESSES_PER_ACCOUNT = 5
GUESSES_PER_ADDRESS = 30
GUESS_WINDOW_SECONDS = 300.0
WRONG = "the address or the password is wrong"
_ACCOUNT = Rate("sign-in-account", "sign-in to this account", GUESSES_PER_ACCOUNT, GUESS_WINDOW_SECONDS)
_ADDRESS = Rate("sign-in-address", "sign-in from this address", GUESSES_PER_ADDRESS, GUESS_WINDOW_SECONDS)


class Guesses:
    """Checks passwords for one process."""

    def __init__(self, database: Database, passwords: Passwords, limits: RateLimits) -> None:
        self._database = database
        self._passwords = passwords
        self._limits = limits

    async def user_with(self, email: str, password: str, client_address: str) -> User:
        """Return the active person with this address and password; the try stays counted until `right`.

        An unknown address costs the same time and gets the same answer as a wrong password.

        Raises:
            TooManyRequests: too many guesses for the account or from the address.
            Unavailable: guesses cannot be counted at the moment.
            CredentialRefused: unknown, suspended, or a wrong password.
        """
        await self._limits.take(*_buckets(email, client_address))
        async with self._database.platform() as session:
            user = await repository.find_user_by_email(session, email)
        if not await self._passwords.verify(password, user.password_hash if user else None) or user is None:
            log.info("sign-in refused", client=client_address)
            raise CredentialRefused(WRONG, whose=f"user:{user.id}" if user else "")
        return user

    async def undo(self, email: str, client_address: str) -> None:
        """Take a try back that was no guess; those before it stay counted."""
        await self._limits.give_back(*_buckets(email, client_address))

    async def right(self, user: User, client_address: str, *, code_taken: bool = False) -> None:
        """Take a try back that proved to be no guess; those before it on the account are forgotten.

        Where a code is needed, too, those before stay counted after the password alone: they may be guesses of codes.

        Args:
            code_taken: the one-time code was right.
        """
        if user.totp_enabled and not code_taken:
            return await self.undo(user.email, client_address)
        address, account = _buckets(user.email, client_address)
        await self._limits.forget(account)
        await self._limits.give_back(address)
        return None


def _buckets(email: str, client_address: str) -> tuple[Bucket, Bucket]:
    return (_ADDRESS, client_address), (_ACCOUNT, email.lower())
