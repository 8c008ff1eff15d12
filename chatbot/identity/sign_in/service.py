"""Sign in, refresh, sign out.

The row of a session holds the hash of the newest refresh token only, so an older one that comes back was copied by
somebody: the whole session ends. In a browser, where all tabs share one cookie, the last one stays good for a moment.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from chatbot.core import crypto
from chatbot.core.clock import utcnow
from chatbot.core.errors import Unauthenticated
from chatbot.core.ids import new_id
from chatbot.core.limits import Rate, RateLimits, closed_limits, open_limits
from chatbot.core.logging import get_logger
from chatbot.core.redis_link import RedisLink
from chatbot.db.models import User, UserSession
from chatbot.db.sessions import Database
from chatbot.identity.access.repository import find_memberships
from chatbot.identity.access.service import Access
from chatbot.identity.audit.service import Entry, record
from chatbot.identity.denied import CredentialRefused
from chatbot.identity.sign_in import repository
from chatbot.identity.sign_in.guesses import GUESS_WINDOW_SECONDS, Guesses
from chatbot.identity.sign_in.refresh_tokens import ENDED, RefreshSecret
from chatbot.identity.sign_in.second_factor import CodeNeeded, SecondFactor
from chatbot.identity.tokens import ADMIN_LIFETIME, TokenKeys, issue_admin_token

log = get_logger(__name__)

SESSION_LIFETIME = timedelta(days=30)
TABS_OVERLAP = timedelta(seconds=20)
"""How long the token before the newest is still taken from the cookie: tabs that refresh at once, a lost answer."""

REFRESHES_PER_ADDRESS = 60
_REFRESH = Rate("refresh-address", "refreshing from this address", REFRESHES_PER_ADDRESS, GUESS_WINDOW_SECONDS)


@dataclass(frozen=True, slots=True)
class SignInLimits:
    """Counts guesses of passwords, which never go uncounted, and refused refresh tokens, which cannot be guessed."""

    guesses: RateLimits
    refreshes: RateLimits

    @classmethod
    def over(cls, link: RedisLink | None) -> "SignInLimits":
        """The limits of this process; with Redis, of all of them together."""
        return cls(closed_limits(link, GUESS_WINDOW_SECONDS), open_limits(link))


@dataclass(frozen=True, slots=True)
class Tokens:
    """A session's fresh tokens and whose they are."""

    access: str
    refresh: RefreshSecret
    user: User


class SignInDesk:
    """Signs people in and out for one process."""

    def __init__(
        self,
        database: Database,
        keys: TokenKeys,
        access: Access,
        guesses: Guesses,
        factor: SecondFactor,
        refreshes: RateLimits,
    ) -> None:
        self._database = database
        self._keys = keys
        self._access = access
        self._guesses = guesses
        self._factor = factor
        self._refreshes = refreshes

    async def sign_in(self, email: str, password: str, code: str | None, client_address: str) -> Tokens:
        """Begin a session.

        Raises:
            CodeNeeded: the password is right, and one-time codes are switched on.
            CodeRefused: the code is wrong; that counts as a guess.
            CredentialRefused, TooManyRequests, Unavailable: as `Guesses.user_with`.
        """
        user = await self._guesses.user_with(email, password, client_address)
        if user.totp_enabled and not code:
            await self._guesses.undo(email, client_address)
            raise CodeNeeded("give the one-time code that the app shows, or a recovery code")
        if user.totp_enabled:
            await self._factor.take(user.id, code or "")
        await self._guesses.right(user, client_address, code_taken=user.totp_enabled)
        return await self.begin_session(user, "password", client_address)

    async def begin_session(self, user: User, way: str, client_address: str) -> Tokens:
        """Begin a session of somebody who has proved in some way who they are."""
        token = RefreshSecret.first(new_id())
        async with self._database.platform() as session:
            session.add(
                UserSession(
                    id=token.session_id,
                    user_id=user.id,
                    refresh_hash=token.hash,
                    expires_at=utcnow() + SESSION_LIFETIME,
                )
            )
            await repository.note_sign_in(session, user.id, utcnow())
            name = f"user:{user.id}"
            entry = Entry(name, "login", name, {"way": way}, ip=client_address)
            await record(session, entry, await find_memberships(session, user.id))
        return self._tokens(user, token)

    async def refresh(self, refresh_token: str, client_address: str, *, from_cookie: bool = False) -> Tokens:
        """Exchange the newest refresh token for new tokens; only tokens that are refused count against the limit.

        Args:
            from_cookie: the token before the newest will do for some seconds, and gives the same newest one.

        Raises:
            TooManyRequests: too many refused tokens from the address.
            Unauthenticated: the token is unknown, expired or not the newest; the last ends its session.
        """
        await self._refreshes.take((_REFRESH, client_address))
        try:
            tokens = await self._exchange(RefreshSecret.parse(refresh_token), from_cookie=from_cookie)
        except Unauthenticated:
            raise
        except BaseException:  # the database is away: whoever has a good token must not have to wait after it is back
            await self._refreshes.give_back((_REFRESH, client_address))
            raise
        await self._refreshes.give_back((_REFRESH, client_address))
        return tokens

    async def _exchange(self, given: RefreshSecret, *, from_cookie: bool) -> Tokens:
        fresh, reused = given.following(self._keys), ""
        async with self._database.platform() as session:  # raising inside would roll the revocation back
            row = await repository.lock_session(session, given.session_id, utcnow())
            user = await repository.find_user(session, row.user_id) if row else None
            if row and not self._rotate(row, given, fresh, from_cookie=from_cookie):
                row.revoked_at = utcnow()
                log.warning("an old refresh token came back; its session is ended", session=str(row.id))
                reused, user = f"user:{row.user_id}", None
        if reused:
            self._access.forget()  # once the row is committed: what is looked up before would be known as good again
            raise CredentialRefused(ENDED, whose=reused)
        if user is None:
            raise Unauthenticated(ENDED)
        return self._tokens(user, fresh)

    def _rotate(self, row: UserSession, given: RefreshSecret, fresh: RefreshSecret, *, from_cookie: bool) -> bool:
        """Put the fresh token into the given one's place; return whether the given one is good."""
        if crypto.same(row.refresh_hash, given.hash):
            row.refresh_hash, row.rotated_at = fresh.hash, utcnow()
            return True
        return from_cookie and _just_now(row.rotated_at) and crypto.same(row.refresh_hash, fresh.hash)

    async def sign_out(self, refresh_token: str) -> None:
        """End the session of a refresh token; one that has ended is fine."""
        try:
            given = RefreshSecret.parse(refresh_token)
        except Unauthenticated:
            return
        async with self._database.platform() as session:
            row = await repository.lock_session(session, given.session_id, utcnow())
            if row is None or not crypto.same(row.refresh_hash, given.hash):
                return
            row.revoked_at = utcnow()
        self._access.forget()

    def _tokens(self, user: User, token: RefreshSecret) -> Tokens:
        claims = {"sid": str(token.session_id)}
        return Tokens(issue_admin_token(self._keys, subject=f"user:{user.id}", claims=claims), token, user)


def access_seconds() -> int:
    """Return how long an access token lives."""
    return int(ADMIN_LIFETIME.total_seconds())


def _just_now(moment: datetime | None) -> bool:
    return moment is not None and utcnow() - moment < TABS_OVERLAP
