"""Sign in, refresh, sign out.

A refresh token is `xin_rt_<session>_<secret>`. Each use gives a new one; the row holds the newest one's hash only, so
an older one that comes back was copied by somebody: the whole session ends.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from chatbot.core import crypto
from chatbot.core.clock import utcnow
from chatbot.core.errors import Unauthenticated
from chatbot.core.ids import new_id
from chatbot.core.limits import Rate, RateLimits, closed_limits, open_limits
from chatbot.core.logging import get_logger
from chatbot.core.redis_link import RedisLink
from chatbot.db.models import User, UserSession
from chatbot.db.sessions import Database
from chatbot.identity.access.service import Access
from chatbot.identity.passwords import Passwords
from chatbot.identity.sign_in import repository
from chatbot.identity.sign_in.schemas import SignedIn, UserView
from chatbot.identity.tokens import ADMIN_LIFETIME, TokenKeys, issue_admin_token

log = get_logger(__name__)

SESSION_LIFETIME = timedelta(days=30)
GUESSES_PER_ACCOUNT = 5
GUESSES_PER_ADDRESS = 30
REFRESHES_PER_ADDRESS = 60
GUESS_WINDOW_SECONDS = 300.0
_ACCOUNT = Rate("sign-in-account", "sign-in to this account", GUESSES_PER_ACCOUNT, GUESS_WINDOW_SECONDS)
_ADDRESS = Rate("sign-in-address", "sign-in from this address", GUESSES_PER_ADDRESS, GUESS_WINDOW_SECONDS)
_REFRESH = Rate("refresh-address", "refreshing from this address", REFRESHES_PER_ADDRESS, GUESS_WINDOW_SECONDS)
_PREFIX = "xin_rt_"
_WRONG = "the address or the password is wrong"
_ENDED = "the session has ended; sign in again"


@dataclass(frozen=True, slots=True)
class _RefreshToken:
    session_id: UUID
    text: str

    @classmethod
    def new(cls, session_id: UUID) -> "_RefreshToken":
        return cls(session_id, crypto.random_secret(f"{_PREFIX}{session_id.hex}_"))

    @classmethod
    def parse(cls, text: str) -> "_RefreshToken":
        head, _, _secret = text.removeprefix(_PREFIX).partition("_")
        try:
            return cls(UUID(hex=head), text)
        except ValueError:
            raise Unauthenticated(_ENDED) from None

    @property
    def hash(self) -> str:
        return crypto.hash_secret(self.text)


@dataclass(frozen=True, slots=True)
class SignInLimits:
    """Counts guesses of passwords, which never go uncounted, and refused refresh tokens, which cannot be guessed."""

    guesses: RateLimits
    refreshes: RateLimits

    @classmethod
    def over(cls, link: RedisLink | None) -> "SignInLimits":
        """The limits of this process; with Redis, of all of them together."""
        return cls(closed_limits(link, GUESS_WINDOW_SECONDS), open_limits(link))


class SignInDesk:
    """Signs people in and out for one process."""

    def __init__(self, database: Database, keys: TokenKeys, access: Access, limits: SignInLimits) -> None:
        self._database = database
        self._keys = keys
        self._access = access
        self._passwords = Passwords()
        self._guesses = limits.guesses
        self._refreshes = limits.refreshes

    async def sign_in(self, email: str, password: str, client_address: str) -> SignedIn:
        """Begin a session.

        An unknown address costs the same time and gets the same answer as a wrong password.

        Raises:
            TooManyRequests: too many guesses for the account or from the address.
            Unavailable: guesses cannot be counted at the moment.
            Unauthenticated: unknown, suspended, or a wrong password.
        """
        address, account = (_ADDRESS, client_address), (_ACCOUNT, email.lower())
        await self._guesses.take(address, account)
        async with self._database.platform() as session:
            user = await repository.find_user_by_email(session, email)
        if not await self._passwords.verify(password, user.password_hash if user else None) or user is None:
            log.info("sign-in refused", client=client_address)
            raise Unauthenticated(_WRONG)
        await self._guesses.forget(account)
        await self._guesses.give_back(address)
        token = _RefreshToken.new(new_id())
        async with self._database.platform() as session:
            session.add(
                UserSession(
                    id=token.session_id,
                    user_id=user.id,
                    refresh_hash=token.hash,
                    expires_at=utcnow() + SESSION_LIFETIME,
                )
            )
        return self._signed_in(user, token)

    async def refresh(self, refresh_token: str, client_address: str) -> SignedIn:
        """Exchange the newest refresh token for new tokens; only tokens that are refused count against the limit.

        Raises:
            TooManyRequests: too many refused tokens from the address.
            Unauthenticated: the token is unknown, expired or not the newest; the last ends its session.
        """
        await self._refreshes.take((_REFRESH, client_address))
        given = _RefreshToken.parse(refresh_token)
        fresh = _RefreshToken.new(given.session_id)
        async with self._database.platform() as session:  # raising inside would roll the revocation back
            row = await repository.lock_session(session, given.session_id, utcnow())
            user = await repository.find_user(session, row.user_id) if row else None
            if row and crypto.same(row.refresh_hash, given.hash):
                row.refresh_hash = fresh.hash
            elif row:
                row.revoked_at = utcnow()
                self._access.forget()
                log.warning("an old refresh token came back; its session is ended", session=str(row.id))
                user = None
        if user is None:
            raise Unauthenticated(_ENDED)
        await self._refreshes.give_back((_REFRESH, client_address))
        return self._signed_in(user, fresh)

    async def sign_out(self, refresh_token: str) -> None:
        """End the session of a refresh token; one that has ended is fine."""
        try:
            given = _RefreshToken.parse(refresh_token)
        except Unauthenticated:
            return
        async with self._database.platform() as session:
            row = await repository.lock_session(session, given.session_id, utcnow())
            if row is None or not crypto.same(row.refresh_hash, given.hash):
                return
            row.revoked_at = utcnow()
        self._access.forget()

    def _signed_in(self, user: User, token: _RefreshToken) -> SignedIn:
        claims = {"sid": str(token.session_id)}
        return SignedIn(
            access_token=issue_admin_token(self._keys, subject=f"user:{user.id}", claims=claims),
            expires_in=int(ADMIN_LIFETIME.total_seconds()),
            refresh_token=token.text,
            user=UserView.model_validate(user),
        )


async def find_user(database: Database, subject_name: str) -> User | None:
    """Return the user behind a subject's name, None for other subjects."""
    kind, _, user_id = subject_name.partition(":")
    if kind != "user":
        return None
    async with database.platform() as session:
        return await repository.find_user(session, UUID(user_id))
