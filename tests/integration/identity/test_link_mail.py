"""Links by mail, over SMTP, from the address of the tenant; nothing of them stays behind."""

import re
from collections.abc import AsyncIterator
from email.message import Message
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from chatbot.core.ids import new_id
from chatbot.core.settings import Settings
from tests.conftest import TenantRows
from tests.integration.channels.mail_servers import NAME, SmtpPeer, smtp_server
from tests.integration.identity.people import make_person
from tests.whole import Whole, whole_platform


class Post:
    """A platform, and the mail server that its tenant writes by."""

    def __init__(self, whole: Whole, peer: SmtpPeer) -> None:
        self.whole, self.peer = whole, peer

    async def connect(self) -> Any:
        """Give the tenant an address to write from."""
        credentials = {
            "address": NAME, "display_name": "Acme", "inbound": "postmark", "smtp_host": "127.0.0.1",
            "smtp_port": self.peer.port, "smtp_security": "none",
        }  # fmt: skip
        return await self.whole.channel("email", credentials)

    async def invite(self, **fields: Any) -> Any:
        """Invite somebody new."""
        body = {"tenant_id": str(self.whole.tenant.id), "email": f"{new_id().hex}@example.com", "role": "agent"}
        return await self.whole.ask("POST", "/admin/invitations", body | fields, status=201)

    async def stored(self) -> str:
        """Everything that the database holds, as text."""
        async with self.whole.runtime.database.platform() as session:
            names = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            tables = (await session.execute(text(names))).scalars().all()
            rows: list[str] = []
            for table in set(tables) - {"alembic_version"}:
                rows += (await session.execute(text(f"SELECT t::text FROM {table} t"))).scalars()
        return "\n".join(rows)


@pytest.fixture
async def post(database_url: str, settings: Settings, tenant: TenantRows) -> AsyncIterator[Post]:
    async with smtp_server() as peer, whole_platform(settings, database_url, tenant) as whole:
        yield Post(whole, peer)


def _parts(mail: Message) -> tuple[str, str]:
    """The text and the HTML of a mail."""
    found = {part.get_content_type(): str(part.get_content()) for part in mail.walk() if not part.is_multipart()}  # type: ignore[attr-defined]
    return found["text/plain"], found["text/html"]


async def test_an_invitation_is_mailed_and_leaves_nothing_behind(post: Post) -> None:
    await post.connect()
    made = await post.invite(name="Nia [x](http://evil.example) *N*")
    assert made["mailed"] is True
    (mail,) = post.peer.mails
    assert post.peer.recipients == [made["email"]]
    assert mail["subject"] == "You are invited to Acme"
    plain, html = _parts(mail)
    assert made["url"] in plain
    assert re.findall(r'href="([^"]+)"', html) == [made["url"]], "the link whole, and no other"
    assert made["token"] not in await post.stored()


async def test_without_an_address_the_answer_is_how_it_is_handed_over(post: Post) -> None:
    made = await post.invite()
    assert (made["mailed"], post.peer.mails) == (False, [])
    assert made["url"].endswith(made["token"])


async def test_a_server_that_refuses_is_told(post: Post) -> None:
    await post.connect()
    post.peer.answer_rcpt = "550 no such mailbox"
    assert (await post.invite())["mailed"] is False


async def test_a_channel_whose_secrets_are_lost_loses_no_link(post: Post) -> None:
    channel = await post.connect()
    async with post.whole.runtime.database.tenant(post.whole.tenant.id) as session:
        await session.execute(text("UPDATE channel_secrets SET sealed = decode('00', 'hex')"))
    post.whole.orchestrator.accounts.forget(UUID(channel["id"]))
    made = await post.invite()
    assert (made["mailed"], post.peer.mails) == (False, [])
    assert made["url"].endswith(made["token"])
    whole = post.whole
    async with whole.runtime.database.tenant_reader(whole.tenant.id) as session:
        assert not await whole.orchestrator.mail.ready(session, whole.tenant.brand_id)
    async with whole.api.get(f"/v1/widget/config?tenant_id={whole.tenant.id}") as answer:
        assert (await answer.json())["mail"] is False, "no page promises mail"


@pytest.mark.parametrize(
    ("locale", "subject"),
    [("fa-IR", "گذرواژهٔ تازه برای Acme"), ("es", "Una contraseña nueva para Acme"), ("de", "A new password for Acme")],
)
async def test_a_new_password_is_mailed_in_the_persons_language(post: Post, locale: str, subject: str) -> None:
    await post.connect()
    database = post.whole.runtime.database
    person = await make_person(database, {post.whole.tenant.id: "agent"})
    await post.whole.ask("PATCH", f"/admin/users/{person.id}", {"locale": locale})
    link = await post.whole.ask("POST", f"/admin/users/{person.id}/reset_password")
    assert link["mailed"] is True
    (mail,) = post.peer.mails
    assert mail["subject"] == subject
    assert link["reset_url"] in _parts(mail)[0]
    assert link["token"] not in await post.stored()
