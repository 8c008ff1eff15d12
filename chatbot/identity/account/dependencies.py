"""FastAPI dependencies of one's own account."""

from typing import Annotated

from fastapi import Depends

from chatbot.identity.account.codes import CodesDesk
from chatbot.identity.account.service import AccountDesk
from chatbot.identity.dependencies import Db, Resolver
from chatbot.identity.sign_in.dependencies import Factor, PasswordGuesses, PasswordHasher


async def _account(db: Db, access: Resolver, passwords: PasswordHasher, guesses: PasswordGuesses) -> AccountDesk:
    return AccountDesk(db, access, passwords, guesses)


Account = Annotated[AccountDesk, Depends(_account)]


async def _codes(account: Account, factor: Factor) -> CodesDesk:
    return CodesDesk(account, factor)


Codes = Annotated[CodesDesk, Depends(_codes)]
