"""A mailbox over IMAP: a thread of its own for the synchronous client, on a socket that can be taken from under it."""

import asyncio
import imaplib
import selectors
import socket
import ssl
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date
from typing import Any, ParamSpec, TypeVar

from imap_tools.errors import ImapToolsError, MailboxFolderSelectError, MailboxLoginError
from imap_tools.mailbox import BaseMailBox

from chatbot.channels.errors import ProviderRefused
from chatbot.channels.providers.email.credentials import EmailCredentials
from chatbot.channels.providers.email.sockets import connect, tls_context
from chatbot.core.safe_http import OutgoingFailed, SafeHttp

THREAD_NAME = "imap"
MAX_MAIL_BYTES = 35_000_000
_ANSWER_SECONDS = 30.0
_BLOCK = 65_536
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
# A server that cannot check a password just now says so (RFC 5530); everything else is about the password.
_NOT_NOW = ("UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG", "CONTACTADMIN")

P = ParamSpec("P")
T = TypeVar("T")


class _Client(imaplib.IMAP4):
    """The protocol on a given socket, with a buffer of its own: waiting must know whether something lies unread."""

    def __init__(self, host: str, given: socket.socket) -> None:
        self._given = given
        self._unread = bytearray()
        super().__init__(host)

    def open(self, host: str = "", port: int = 143, timeout: float | None = None) -> None:  # noqa: ARG002
        """Take the given socket."""
        self.host, self.port, self.sock = host, port, self._given

    def shutdown(self) -> None:
        """Close the socket."""
        self.sock.close()

    def read(self, size: int) -> bytes:
        """Read exactly so many bytes, fewer at the end only."""
        while len(self._unread) < size and self._receive():
            pass
        return self._take(size)

    def readline(self) -> bytes:
        """Read a line with its end; what there is at the end of the stream."""
        while (end := self._unread.find(b"\n")) < 0:
            if len(self._unread) > MAX_MAIL_BYTES:
                raise self.abort("a line without end")
            if not self._receive():
                return self._take(len(self._unread))
        return self._take(end + 1)

    def has_unread(self) -> bool:
        """Whether something has come that the socket would not wake us for."""
        return bool(self._unread) or (isinstance(self.sock, ssl.SSLSocket) and self.sock.pending() > 0)

    def encrypt(self, context: ssl.SSLContext) -> None:
        """STARTTLS; what a stranger sent ahead of the encryption is an attack, not an answer."""
        self.starttls(context)
        if self._unread:
            raise self.abort("data before the encryption")

    def _receive(self) -> bool:
        block = self.sock.recv(_BLOCK)
        self._unread += block
        return bool(block)

    def _take(self, size: int) -> bytes:
        taken = bytes(self._unread[:size])
        del self._unread[:size]
        return taken


class _Box(BaseMailBox):
    """imap-tools on our client."""

    def __init__(self, client: _Client) -> None:
        self._client = client
        super().__init__()

    def _get_mailbox_client(self) -> imaplib.IMAP4:
        return self._client


class Mailbox:
    """An open folder, read only. Its methods block: `run` puts them into the mailbox's own thread."""

    def __init__(self, credentials: EmailCredentials, context: ssl.SSLContext, opened: socket.socket) -> None:
        self._credentials = credentials
        self._context = context
        self._socket = opened
        self._executor = ThreadPoolExecutor(1, THREAD_NAME)
        self._can_idle = False

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do a blocking thing in the mailbox's thread.

        Raises:
            ProviderRefused: the server will not have us.
            OutgoingFailed: it broke off or answered what cannot be understood.
        """
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, lambda: work(*args, **kwargs))
        except (ImapToolsError, imaplib.IMAP4.error, OSError, ValueError) as error:
            raise OutgoingFailed(f"The mailbox broke off: {_readable(error)}") from error

    def close(self) -> None:
        """Take the socket away, from any thread: whatever the mailbox's thread waits for ends at once."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._executor.submit(self._close_socket)
        self._executor.shutdown(wait=False)

    def _close_socket(self) -> None:
        self._socket.close()

    def enter(self) -> None:
        """Encrypt, log in and open the folder. Raises ProviderRefused."""
        self._socket.settimeout(_ANSWER_SECONDS)
        if self._credentials.imap_security == "tls":
            self._socket = self._context.wrap_socket(
                self._socket, server_hostname=self._credentials.imap_host, do_handshake_on_connect=False
            )
            self._socket.settimeout(_ANSWER_SECONDS)
            self._socket.do_handshake()
        self._client = _Client(self._credentials.imap_host, self._socket)
        if self._credentials.imap_security == "starttls":
            self._client.encrypt(self._context)
            self._socket = self._client.sock
        self._box = _Box(self._client)
        self._login()
        # Asked again: most servers tell what they can do only to those who are logged in.
        self._can_idle = b"IDLE" in b" ".join(self._client.capability()[1]).upper().split()
        try:
            self._box.folder.set(self._credentials.imap_folder, readonly=True)
        except MailboxFolderSelectError as error:
            folder = self._credentials.imap_folder
            raise ProviderRefused(f"The mailbox has no folder {folder}: {_readable(error)}") from error

    def _login(self) -> None:
        password = self._credentials.imap_password
        name = self._credentials.imap_username or self._credentials.address
        secret = password.get_secret_value() if password else ""
        try:
            if (name + secret).isascii():
                self._box.login(name, secret, initial_folder=None)
            else:
                self._box.login_utf8(name, secret, initial_folder=None)
        except (MailboxLoginError, imaplib.IMAP4.error) as error:
            if isinstance(error, imaplib.IMAP4.abort) or any(f"[{word}" in str(error) for word in _NOT_NOW):
                raise
            raise ProviderRefused(f"The mail server refused the login: {_readable(error)}") from error

    @property
    def can_idle(self) -> bool:
        """Whether the server tells of new mail by itself."""
        return self._can_idle

    def position(self) -> tuple[int, int]:
        """The folder's UIDVALIDITY, and the uid that the next mail will have."""
        status = self._box.folder.status(self._credentials.imap_folder, ["UIDVALIDITY", "UIDNEXT"])
        return status["UIDVALIDITY"], status["UIDNEXT"]

    def after(self, uid: int) -> list[int]:
        """The uids of mails that came after one."""
        # `n:*` names the last mail even where it is older than n.
        return self._search(f"UID {uid + 1}:*", beyond=uid)

    def since(self, day: date, *, unread: bool) -> list[int]:
        """The uids of mails that came on a day or later."""
        written = f"{day.day}-{_MONTHS[day.month - 1]}-{day.year}"
        return self._search(f"SINCE {written}{' UNSEEN' if unread else ''}", beyond=0)

    def _search(self, criteria: str, *, beyond: int) -> list[int]:
        found = sorted(int(uid) for uid in self._box.uids(criteria, charset=None))
        return [uid for uid in found if uid > beyond]

    def fetch(self, uid: int) -> bytes | None:
        """A mail's bytes, its headers only where it is too large; None when it is gone."""
        size = self._fetch(uid, "(RFC822.SIZE)")
        if not size:
            return None
        sizes = [word for word in b" ".join(size).replace(b")", b" ").split() if word.isdigit()]
        large = any(int(word) > MAX_MAIL_BYTES for word in sizes[1:])
        content = self._fetch(uid, "(BODY.PEEK[HEADER])" if large else "(BODY.PEEK[])")
        return max(content, key=len, default=None)

    def _fetch(self, uid: int, parts: str) -> list[bytes]:
        status, data = self._client.uid("FETCH", str(uid), parts)
        if status != "OK":
            raise self._client.abort(f"FETCH was answered {status}")
        return list(_pieces(data))

    def wait(self, seconds: float) -> None:
        """Wait until something happens in the folder, or for so long."""
        idle: Any = self._box.idle
        idle.start()
        if not self._client.has_unread():
            with selectors.DefaultSelector() as selector:
                selector.register(self._client.sock, selectors.EVENT_READ)
                selector.select(seconds)
        idle.stop()


async def open_mailbox(credentials: EmailCredentials, http: SafeHttp) -> Mailbox:
    """Connect, log in and open the folder. Raises ProviderRefused, OutgoingFailed."""
    context = await asyncio.to_thread(tls_context, credentials)
    mailbox = Mailbox(credentials, context, await connect(http, credentials.imap_host, credentials.imap_port))
    try:
        await mailbox.run(mailbox.enter)
    except BaseException:
        mailbox.close()
        raise
    return mailbox


def _pieces(data: Iterable[object]) -> Iterable[bytes]:
    """What imaplib makes of a FETCH answer: lines, and pairs of a line and a literal."""
    for item in data:
        if isinstance(item, bytes):
            yield item
        elif isinstance(item, tuple):
            yield from (part for part in item if isinstance(part, bytes))


def _readable(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
