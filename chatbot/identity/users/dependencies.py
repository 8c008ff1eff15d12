"""FastAPI dependencies of the administration of people."""

from datetime import timedelta
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from chatbot.identity.dependencies import AppSettings, Db, Resolver
from chatbot.identity.link_mail import LinkMail
from chatbot.identity.links import LinkTries
from chatbot.identity.sign_in.dependencies import PasswordHasher
from chatbot.identity.users.resets import Resets
from chatbot.identity.users.service import People


async def _people(db: Db, access: Resolver, settings: AppSettings) -> People:
    return People(db, access, timedelta(days=settings.restore_window_days))


async def _tries(connection: HTTPConnection) -> LinkTries:
    return LinkTries(connection.app.state.sign_in_limits.guesses)


Tries = Annotated[LinkTries, Depends(_tries)]


async def _mail(connection: HTTPConnection, db: Db) -> LinkMail:
    return LinkMail(db, connection.app.state.mail)


LinksByMail = Annotated[LinkMail, Depends(_mail)]


async def _resets(
    db: Db, access: Resolver, passwords: PasswordHasher, tries: Tries, mail: LinksByMail, settings: AppSettings
) -> Resets:
    return Resets(db, access, passwords, tries, mail, settings.orchestrator_public_url)


ThePeople = Annotated[People, Depends(_people)]
PasswordResets = Annotated[Resets, Depends(_resets)]
