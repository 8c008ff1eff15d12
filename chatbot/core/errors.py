"""Errors that reach a client: each class carries its HTTP status and a stable code, once.

The classes feed both the problem responses and the OpenAPI document (RFC 9457).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field of a request: its dotted name and what is wrong, with the limit."""

    field: str
    message: str


class XinError(Exception):
    """Base of every error shown to a client.

    ``detail`` is safe to show: it never holds a secret, SQL or a stack trace.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Something went wrong on our side"

    def __init__(
        self,
        detail: str = "",
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.errors = tuple(errors)
        self.headers = dict(headers or {})


class InvalidInput(XinError):
    """The payload is not valid."""

    status = 422
    code = "invalid_input"
    title = "The request is not valid"

    @classmethod
    def field(cls, name: str, message: str) -> "InvalidInput":
        """Build the error for one wrong field."""
        return cls(f"{name}: {message}", errors=[FieldError(name, message)])


class BadRequest(XinError):
    """The request cannot be understood at all (not JSON, not UTF-8)."""

    status = 400
    code = "bad_request"
    title = "The request cannot be read"


class Unauthenticated(XinError):
    """No credentials, or credentials that do not hold."""

    status = 401
    code = "unauthenticated"
    title = "Authentication is required"

    def __init__(self, detail: str = "", *, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(detail, errors=errors, headers={"WWW-Authenticate": "Bearer"})


class Forbidden(XinError):
    """The subject is known and may not do this."""

    status = 403
    code = "forbidden"
    title = "Not allowed"


class NotFound(XinError):
    """Unknown id, or an id of somebody else: the two are told apart by nobody."""

    status = 404
    code = "not_found"
    title = "Not found"


class Conflict(XinError):
    """The request contradicts the present state."""

    status = 409
    code = "conflict"
    title = "Conflicts with the present state"


class TooLarge(XinError):
    """A body or file above its limit."""

    status = 413
    code = "too_large"
    title = "Too large"


class UnsupportedType(XinError):
    """A media type that is not accepted here."""

    status = 415
    code = "unsupported_type"
    title = "This type is not accepted"


class TooManyRequests(XinError):
    """A limit was reached; ``Retry-After`` (seconds) tells when to come back."""

    status = 429
    code = "too_many_requests"
    title = "Too many requests"

    def __init__(self, detail: str = "", *, retry_after: int = 1) -> None:
        super().__init__(detail, headers={"Retry-After": str(max(1, retry_after))})


class Unavailable(XinError):
    """A dependency is down; nothing was stored. ``Retry-After`` in seconds."""

    status = 503
    code = "unavailable"
    title = "Temporarily unavailable"

    def __init__(self, detail: str = "", *, retry_after: int = 5) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)})


def error_of_problem(problem: Mapping[str, Any], headers: Mapping[str, str]) -> XinError:
    """Return the error that another process of ours answered as a problem document; an unknown code is the base."""
    kind = next((each for each in _kinds(XinError) if each.code == problem.get("code")), XinError)
    error = kind.__new__(kind)
    fields = [FieldError(str(item["field"]), str(item["message"])) for item in problem.get("errors", ())]
    kept = {name: headers[name] for name in ("Retry-After",) if name in headers}
    XinError.__init__(error, str(problem.get("detail") or ""), errors=fields, headers=kept)
    return error


def _kinds(kind: type[XinError]) -> Iterator[type[XinError]]:
    for each in kind.__subclasses__():
        yield each
        yield from _kinds(each)


class MissingTenant(RuntimeError):
    """Work on tenant data was begun without a tenant: a bug, never a default."""
