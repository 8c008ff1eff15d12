"""Links by mail: an invitation, a new password. They go out at once and are kept nowhere, for they let somebody in."""

import re
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from chatbot.core.errors import NotFound
from chatbot.core.ids import new_id
from chatbot.db.sessions import Database
from chatbot.identity.mail import Letter, Mail, new_thread
from chatbot.identity.tenants.service import require_tenant

Kind = Literal["invitation", "reset"]
_MARKUP = re.compile(r"([\\`*_\[\]<>#!|])")

_WORDS: dict[tuple[Kind, str], tuple[str, str]] = {
    ("invitation", "en"): (
        "You are invited to {tenant}",
        (
            "Hello {name},\n\nyou are invited to work with {tenant}. This link works once, for seven days:\n\n"
            "<{url}>\n\nIf you did not expect this mail, ignore it."
        ),
    ),
    ("reset", "en"): (
        "A new password for {tenant}",
        (
            "Hello {name},\n\nwith this link you choose a new password. It works once, for an hour:\n\n<{url}>\n\n"
            "If you did not ask for it, tell your administrator."
        ),
    ),
    ("invitation", "es"): (
        "Te invitan a {tenant}",
        (
            "Hola, {name}:\n\nte han invitado a trabajar con {tenant}. Este enlace sirve una sola vez, durante siete "
            "días:\n\n<{url}>\n\nSi no esperabas este correo, no hagas nada."
        ),
    ),
    ("reset", "es"): (
        "Una contraseña nueva para {tenant}",
        (
            "Hola, {name}:\n\ncon este enlace eliges una contraseña nueva. Sirve una sola vez, durante una hora:\n\n"
            "<{url}>\n\nSi no la has pedido, avisa a tu administrador."
        ),
    ),
    ("invitation", "fa"): (
        "دعوت به {tenant}",
        (
            "سلام {name}،\n\nشما به همکاری با {tenant} دعوت شده‌اید. این پیوند یک بار و تا هفت روز کار می‌کند:\n\n"
            "<{url}>\n\nاگر منتظر این نامه نبودید، آن را نادیده بگیرید."
        ),
    ),
    ("reset", "fa"): (
        "گذرواژهٔ تازه برای {tenant}",
        (
            "سلام {name}،\n\nبا این پیوند گذرواژهٔ تازه‌ای برمی‌گزینید. یک بار و تا یک ساعت کار می‌کند:\n\n<{url}>\n\n"
            "اگر آن را نخواسته‌اید، به مدیر خود بگویید."
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class LinkMail:
    """Mails links from the address of a tenant's default brand."""

    database: Database
    mail: Mail

    async def send(self, tenant_id: UUID, kind: Kind, *, to: str, name: str, language: str | None, url: str) -> bool:
        """Mail a link; return whether a mail server took it. Without an address to write from, none does.

        Args:
            language: a BCP 47 tag; one that has no words gets English ones.
        """
        try:
            async with self.database.tenant_reader(tenant_id) as session:
                tenant = await require_tenant(session)
        except NotFound:
            return False
        if tenant.default_brand_id is None:
            return False
        spoken = (language or "en").partition("-")[0]
        subject, text = _WORDS.get((kind, spoken), _WORDS[kind, "en"])
        letter = Letter(
            to=to,
            name=name,
            subject=subject.format(tenant=tenant.name),
            text=text.format(name=_plain(name or to), tenant=_plain(tenant.name), url=url),
            thread=new_thread(),
            lane=f"link:{new_id()}",
            language=spoken if (kind, spoken) in _WORDS else "en",
        )
        return await self.mail.hand_over(tenant_id, tenant.default_brand_id, letter)


def _plain(text: str) -> str:
    """A name as text of Markdown that is nothing but text."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))
