"""Whether a mail is of the domain that its From names: by what the server that received it for us found, never by what
the mail says of itself.

That server tells it in a header `Authentication-Results` (RFC 8601), under a name that the operator gives
(`authserv_id`), or a mail service in fields beside the mail. Alignment is DMARC's (RFC 7489, 3.1), but without a list
of public suffixes: the domain that was verified must be From's own, one above it or one below it.
"""

import re
from collections.abc import Iterator

from chatbot.channels.providers.email.mail import Mail

_COMMENT = re.compile(r"\([^()\\]*\)")
_RESULT = re.compile(r"(?P<method>dkim|spf|dmarc)(?:/\d+)?=(?P<result>[a-z]+)(?P<rest>(?:\s.*)?)", re.ASCII)
_PROPERTY = re.compile(r"(?:^|\s)(?P<name>[a-z]+\.[a-z-]+)=<?(?P<value>[^\s;<>]+)")
_OF_DOMAIN = {"dkim": ("header.d", "header.i"), "spf": ("smtp.mailfrom",), "dmarc": ("header.from",)}
_MAX_COMMENTS = 50
_UNDECIDED = ("none", "bestguesspass")
"""Results of DMARC for a domain that publishes no policy: then it is for DKIM and SPF to say."""


def is_authentic(mail: Mail, address: str, authserv_id: str) -> bool:
    """Whether a mail that is taken to be of an address was verified to be of its domain.

    Args:
        authserv_id: the name of our receiving server in `Authentication-Results`; empty: its headers are not read.
    """
    if {person.address for person in mail.people("from")} != {address}:
        return False  # of several writers one would vouch for the others
    domain = address.rpartition("@")[2]
    found = set(_told_by(mail, authserv_id)) if authserv_id else set()
    return any(_aligned(one, domain) for one in found.union(mail.verified))


def _told_by(mail: Mail, authserv_id: str) -> Iterator[str]:
    """Give the domains that pass in the topmost of these headers, when it is our server's.

    Those further down came with the mail. In quotations a sender could hide results of their own making: then none
    passes.
    """
    value = mail.raw("authentication-results").lower()
    if any(mark in value for mark in '"\\') or value.count("(") > _MAX_COMMENTS:
        return
    while (shorter := _COMMENT.sub(" ", value)) != value:
        value = shorter
    server, *results = (part.strip() for part in value.split(";"))
    if "(" in value or ")" in value or server.split()[:1] != [authserv_id]:
        return
    read = [found for found in map(_RESULT.fullmatch, results) if found]
    methods = [found["method"] for found in read]
    if methods.count("dmarc") > 1 or methods.count("spf") > 1:
        return
    if any(found["method"] == "dmarc" and found["result"] not in ("pass", *_UNDECIDED) for found in read):
        return
    for found in read:
        if found["result"] == "pass":
            yield from _domains(found["method"], found["rest"])


def _domains(method: str, rest: str) -> Iterator[str]:
    for found in _PROPERTY.finditer(rest):
        if found["name"] in _OF_DOMAIN[method]:
            yield found["value"].rpartition("@")[2]


def _aligned(verified: str, domain: str) -> bool:
    """Whether a domain that was verified speaks for From's."""
    verified = verified.rstrip(".").lower()
    if "." not in verified or "." not in domain:
        return False
    return verified == domain or verified.endswith(f".{domain}") or domain.endswith(f".{verified}")
