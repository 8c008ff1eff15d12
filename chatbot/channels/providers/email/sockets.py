"""Connections to mail servers that an operator named: checked addresses only, and connected to exactly those."""

import asyncio
import ipaddress
import socket
import ssl

from chatbot.channels.errors import ProviderRefused
from chatbot.channels.providers.email.credentials import EmailCredentials
from chatbot.core.safe_address import AddressRefused
from chatbot.core.safe_http import OutgoingFailed, SafeHttp

CONNECT_SECONDS = 10.0


async def connect(http: SafeHttp, host: str, port: int) -> socket.socket:
    """Return a connected socket, in the mode of `asyncio` (it does not block).

    Raises:
        ProviderRefused: the host leads into a network that is not allowed.
        OutgoingFailed: it is not known or cannot be reached.
    """
    try:
        addresses = await http.resolve(host)
    except AddressRefused as error:
        raise ProviderRefused(f"{host}: {error.detail}") from error
    except OSError as error:
        raise OutgoingFailed(f"The host name {host} is not known.") from error
    for address in addresses:
        opened = await _connected(address, port)
        if opened is not None:
            return opened
    raise OutgoingFailed(f"{host} cannot be reached at port {port}.")


async def _connected(address: str, port: int) -> socket.socket | None:
    family = socket.AF_INET6 if ipaddress.ip_address(address).version == 6 else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    opened.setblocking(False)
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            await asyncio.get_running_loop().sock_connect(opened, (address, port))
    except BaseException as error:
        opened.close()
        if isinstance(error, OSError):
            return None
        raise
    return opened


def tls_context(credentials: EmailCredentials) -> ssl.SSLContext:
    """Verify certificates against the system's authorities and the operator's own.

    Raises:
        ProviderRefused: `ca_certificate` is no certificate.
    """
    context = ssl.create_default_context()
    if credentials.ca_certificate:
        try:
            context.load_verify_locations(cadata=credentials.ca_certificate)
        except (ssl.SSLError, ValueError) as error:
            raise ProviderRefused("ca_certificate: this is no PEM certificate.") from error
    return context
