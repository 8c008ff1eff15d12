"""Real mail servers on this machine: pymap for IMAP, aiosmtpd for SMTP, with or without TLS."""

import asyncio
import datetime as dt
import ipaddress
import ssl
from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from email.policy import default
from pathlib import Path

from aiosmtpd.smtp import SMTP as SmtpServer
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from proxyprotocol.sock import SocketInfoLocal
from pymap.backend.dict import Config, DictBackend, Login
from pymap.backend.dict.mailbox import MailboxData
from pymap.config import BackendCapability
from pymap.imap import IMAPServer
from pymap.parsing.message import AppendMessage
from pymap.parsing.specials.flag import Flag

NAME, PASSWORD = "support@acme.test", "s3cret"


@dataclass(frozen=True)
class Certificate:
    """A certificate for localhost and 127.0.0.1 that vouches for itself."""

    pem: str
    context: ssl.SSLContext


def make_certificate(folder: Path) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.test")])
    now = dt.datetime.now(dt.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = signed.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "certificate.pem"
    path.write_bytes(pem + private)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path)
    return Certificate(pem.decode(), context)


class WithoutIdle(Config):
    """A server that must be asked."""

    @property
    def backend_capability(self) -> BackendCapability:
        return BackendCapability(idle=False, object_id=True, multi_append=True)


class ImapServer:
    """A mailbox server with one user."""

    def __init__(self, config: Config, backend: DictBackend) -> None:
        self._config = config
        self._backend = backend
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0
        self.connections = 0

    async def start(self, tls: ssl.SSLContext | None = None, port: int = 0) -> None:
        serve = IMAPServer(self._backend.login, self._config)

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._config.apply_context()
            self._writers.add(writer)
            self.connections += 1
            try:
                await serve(reader, writer, SocketInfoLocal(writer))
            except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                pass
            finally:
                self._writers.discard(writer)

        self._server = await asyncio.start_server(connected, "127.0.0.1", port, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]

    def drop(self) -> None:
        """Break every connection."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def stop(self) -> None:
        self.drop()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def inbox(self) -> MailboxData:
        self._config.apply_context()
        async with self._backend.login.demo_user_identity.new_session():
            mailboxes, _ = self._config.set_cache[NAME]
        return await mailboxes.get_mailbox("INBOX")

    async def deliver(self, mail: bytes, *, seen: bool = False, at: dt.datetime | None = None) -> None:
        """Put a mail into the inbox."""
        when = at or dt.datetime.now(dt.UTC)
        flags = frozenset({Flag(b"\\Seen")}) if seen else frozenset()
        await (await self.inbox()).append(AppendMessage(mail, when, flags))

    async def renumber(self) -> None:
        """Give the folder a new UIDVALIDITY, as a server that lost its index does."""
        inbox = await self.inbox()
        inbox._uid_validity += 1


@asynccontextmanager
async def imap_server(
    *, tls: ssl.SSLContext | None = None, starttls: ssl.SSLContext | None = None, idle: bool = True
) -> AsyncIterator[ImapServer]:
    args = Namespace(host="127.0.0.1", port=0, debug=False, cert=None, key=None, tls=bool(starttls),
                     proxy_protocol=None, passlib_cfg=None, demo_data=False, demo_user=NAME,
                     demo_password=PASSWORD)  # fmt: skip
    made = (Config if idle else WithoutIdle).from_args(args, invalid_user_sleep=0.0, ssl_context=starttls)
    backend = DictBackend(Login(made), made)
    await DictBackend._add_demo_user(made, backend.login)
    server = ImapServer(made, backend)
    async with AsyncExitStack() as stack:
        made.apply_context()
        await backend.start(stack)
        await server.start(tls)
        yield server
        await server.stop()


class SmtpPeer:
    """A mail server that keeps what it is given, or refuses with the set answers."""

    def __init__(self) -> None:
        self.mails: list[Message] = []
        self.raw: list[bytes] = []
        self.recipients: list[str] = []
        self.port = 0
        self.answer_rcpt = ""
        self.answer_data = ""
        self.encrypted: list[bool] = []

    async def handle_RCPT(  # noqa: N802 - the name is aiosmtpd's
        self, server: SmtpServer, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.answer_rcpt:
            return self.answer_rcpt
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SmtpServer, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.answer_data:
            return self.answer_data
        assert isinstance(envelope.content, bytes)
        self.raw.append(envelope.content)
        self.mails.append(BytesParser(policy=default).parsebytes(envelope.content))
        self.recipients += envelope.rcpt_tos
        self.encrypted.append(server.transport.get_extra_info("sslcontext") is not None)
        return "250 queued"


def _authenticate(server: SmtpServer, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (NAME.encode(), PASSWORD.encode())
    return AuthResult(success=good, handled=good)


@asynccontextmanager
async def smtp_server(
    *, tls: ssl.SSLContext | None = None, starttls: ssl.SSLContext | None = None, login: bool = False
) -> AsyncIterator[SmtpPeer]:
    peer = SmtpPeer()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SmtpServer(peer, loop=loop, hostname="mail.test", tls_context=starttls, require_starttls=bool(starttls),
                           authenticator=_authenticate if login else None, auth_required=login,
                           auth_require_tls=bool(starttls)),
        "127.0.0.1", 0, ssl=tls,
    )  # fmt: skip
    peer.port = server.sockets[0].getsockname()[1]
    yield peer
    server.close()
    await server.wait_closed()
