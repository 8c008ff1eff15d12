"""The database roles, and how their addresses derive from the owner's.

* the owner (of `DATABASE_URL`, or the bundled superuser) migrates and is used for nothing else;
* `xin_app` serves tenants: it owns nothing and row-level security binds it to one tenant;
* `xin_platform` does work across tenants: it owns nothing either, its policies let it see every tenant.
"""

import hashlib
import hmac

from sqlalchemy import URL, make_url

APP_ROLE = "xin_app"
PLATFORM_ROLE = "xin_platform"


def owner_url(database_url: str) -> URL:
    """Return the owner's address for SQLAlchemy with psycopg."""
    return make_url(database_url).set(drivername="postgresql+psycopg")


def role_url(database_url: str, role: str) -> URL:
    """Return the address under which an application role connects."""
    url = owner_url(database_url)
    return url.set(username=role, password=role_password(database_url, role))


def role_password(database_url: str, role: str) -> str | None:
    """Derive a role's password from the owner's, so that processes share it without one more secret.

    Returns:
        None when the owner connects without a password (the bundled server: socket permissions guard it).
    """
    owner_password = owner_url(database_url).password
    if not owner_password:
        return None
    return hmac.new(owner_password.encode(), f"xin role {role}".encode(), hashlib.sha256).hexdigest()


def conninfo(url: URL) -> str:
    """Render an address for libpq (procrastinate, LISTEN)."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)
