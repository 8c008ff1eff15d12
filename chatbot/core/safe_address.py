"""Which addresses of the network a user may send us to: strict URLs, public addresses only."""

import ipaddress
import re
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import quote, urljoin, urlsplit

import idna
from yarl import URL

from chatbot.core.errors import XinError

MAX_URL_CHARS = 2_048
_PORTS = {"http": 80, "https": 443}
_FORBIDDEN_CHARS = re.compile(r"[\x00-\x20\x7f\\<>\"^`{|}\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_NUMERIC_LABEL = re.compile(r"^(?:[0-9]+|0[xX][0-9a-fA-F]*)$")
_LABEL = re.compile(r"^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$")
_SAFE_PATH = "/%:@!$&'()*+,;=~-._"

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

# `is_global` is not enough: it calls multicast, NAT64, 6to4 and the wire server of one cloud global.
_REFUSED_4 = [
    ipaddress.IPv4Network(net)
    for net in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24",
        "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",
        "240.0.0.0/4",
    )
]  # fmt: skip
_PUBLIC_6 = ipaddress.IPv6Network("2000::/3")
# Teredo, benchmarking, ORCHID, documentation, 6to4 and drone ids inside 2000::/3; all outside it is refused at once.
_REFUSED_6 = [
    ipaddress.IPv6Network(net) for net in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
]
# Where clouds hand out credentials: refused even for a host that the operator has excepted.
_METADATA = frozenset(
    ipaddress.ip_address(text)
    for text in (
        "169.254.169.254", "169.254.170.2", "169.254.170.23", "100.100.100.200", "192.0.0.192", "168.63.129.16",
        "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254",
    )
)  # fmt: skip


class AddressRefused(XinError):
    """An address given by a user that the platform does not go to; the detail says why."""

    status: ClassVar[int] = 422
    code: ClassVar[str] = "address_refused"
    title: ClassVar[str] = "This address is not allowed"


@dataclass(frozen=True, slots=True)
class Address:
    """A checked URL in parts: host in ASCII without a final dot, IPv6 without brackets."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def literal(self) -> IPAddress | None:
        """The host as an IP address, if it is one."""
        try:
            return ipaddress.ip_address(self.host)
        except ValueError:
            return None

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.target}"

    @property
    def wire(self) -> URL:
        """The same URL for aiohttp, taken over as it is so that no second parser can read it differently."""
        return URL(self.url, encoded=True)

    def follow(self, location: str) -> "Address":
        """Where a redirect or link leads from here. Raises AddressRefused."""
        try:
            return parse_address(urljoin(self.url, location.strip()))
        except ValueError as error:
            raise AddressRefused("The address is not a valid URL.") from error


def parse_address(url: str) -> Address:
    """A URL that a user gave, strictly read. Raises AddressRefused with the reason.

    Only http and https; no user name; no address in an odd spelling; international names in ASCII.
    """
    if len(url) > MAX_URL_CHARS:
        raise AddressRefused(f"The address has {len(url)} characters; at most {MAX_URL_CHARS} are allowed.")
    if _FORBIDDEN_CHARS.search(url):
        raise AddressRefused("The address holds spaces, backslashes or control characters.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise AddressRefused("The address is not a valid URL.") from error
    if parts.scheme not in _PORTS:
        raise AddressRefused("The address must begin with http:// or https://.")
    if "@" in parts.netloc:
        raise AddressRefused("The address must not hold a user name or password.")
    if port == 0:
        raise AddressRefused("The address has port 0.")
    host = _host(parts.hostname or "", parts.netloc)
    target = quote(parts.path or "/", safe=_SAFE_PATH) + (
        f"?{quote(parts.query, safe=_SAFE_PATH + '?')}" if parts.query else ""
    )
    return Address(parts.scheme, host, port or _PORTS[parts.scheme], target)


def _host(host: str, netloc: str) -> str:
    if not host:
        raise AddressRefused("The address names no host.")
    if "[" in netloc:
        return _ipv6(host)
    try:
        name = idna.encode(host, uts46=True, transitional=False).decode("ascii").lower().rstrip(".")
    except (idna.IDNAError, UnicodeError):
        name = host.lower().rstrip(".")
    labels = name.split(".")
    if _NUMERIC_LABEL.match(labels[-1]):
        return _ipv4(name)
    if len(name) > 253 or not all(_LABEL.match(label) for label in labels):
        raise AddressRefused("The host name of the address is not valid.")
    return name


def _ipv4(name: str) -> str:
    """Four plain decimal numbers only: `127.1`, `0177.0.0.1` and `2130706433` are tricks."""
    try:
        return str(ipaddress.IPv4Address(name))
    except ValueError as error:
        raise AddressRefused("The IP address is written in an unusual way.") from error


def _ipv6(host: str) -> str:
    try:
        address = ipaddress.IPv6Address(host)
    except ValueError as error:
        raise AddressRefused("The IPv6 address is not valid.") from error
    if address.scope_id is not None:
        raise AddressRefused("The IPv6 address must not name an interface.")
    return str(address)


def is_public(address: IPAddress) -> bool:
    """Whether this is an ordinary address of the public internet.

    IPv4 inside IPv6 (mapped, compatible, NAT64, 6to4, Teredo, ISATAP) is not, whatever it holds.
    """
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_global and not any(address in network for network in _REFUSED_4)
    isatap = (int(address) >> 32) & 0xFFFF_FFFF in (0x0000_5EFE, 0x0200_5EFE)
    return address in _PUBLIC_6 and not isatap and not any(address in network for network in _REFUSED_6)


def is_metadata(address: IPAddress) -> bool:
    """Whether a cloud hands out credentials there, also when the address is wrapped in IPv6."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address in _METADATA
