"""FastAPI dependencies of signing in: the parts of a process that check passwords and begin sessions."""

from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from chatbot.identity.dependencies import Db, Resolver
from chatbot.identity.passwords import Passwords
from chatbot.identity.sign_in.guesses import Guesses
from chatbot.identity.sign_in.second_factor import SecondFactor
from chatbot.identity.sign_in.service import SignInDesk


async def _passwords(connection: HTTPConnection) -> Passwords:
    state = connection.app.state
    known: Passwords | None = getattr(state, "passwords", None)
    if known is None:
        known = state.passwords = Passwords()
    return known


PasswordHasher = Annotated[Passwords, Depends(_passwords)]


async def _guesses(connection: HTTPConnection, passwords: PasswordHasher) -> Guesses:
    state = connection.app.state
    return Guesses(state.database, passwords, state.sign_in_limits.guesses)


PasswordGuesses = Annotated[Guesses, Depends(_guesses)]


async def _factor(connection: HTTPConnection, db: Db) -> SecondFactor:
    return SecondFactor(db, connection.app.state.vault)


Factor = Annotated[SecondFactor, Depends(_factor)]


async def _desk(connection: HTTPConnection, access: Resolver, guesses: PasswordGuesses, factor: Factor) -> SignInDesk:
    state = connection.app.state
    return SignInDesk(state.database, state.keys, access, guesses, factor, state.sign_in_limits.refreshes)


Desk = Annotated[SignInDesk, Depends(_desk)]
