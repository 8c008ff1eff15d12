"""The OpenID provider: what it says of itself, its keys, and the tokens it gives (OpenID Connect Core 1.0)."""

import base64
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

import jwt
import orjson
from pydantic import BaseModel, ValidationError

from chatbot.core import crypto
from chatbot.core.errors import Unavailable, XinError
from chatbot.core.logging import get_logger
from chatbot.core.safe_http import SafeHttp
from chatbot.core.settings import Settings
from chatbot.identity.oidc.attempt import Attempt
from chatbot.identity.oidc.errors import OidcRefused, OidcUnverified

log = get_logger(__name__)
ALGORITHMS = ["RS256", "ES256"]
_REQUIRED = ["iss", "sub", "aud", "exp", "iat", "nonce"]
_LEEWAY_SECONDS = 60
_FRESH_SECONDS = 3600.0
_ASK_KEYS_AGAIN_SECONDS = 60.0
_MAX_BYTES = 256 * 1024
_MAX_EMAIL = 320


class _Discovery(BaseModel):
    """What a provider says of itself."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: list[str] = ["client_secret_basic"]


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom the provider vouches for."""

    subject: str
    email: str
    name: str


class OidcProvider:
    """The provider of the settings, as one process knows it.

    Args:
        http: a client that may go to the issuer; what the issuer names further is checked like any address.
        clock: monotonic seconds.
    """

    def __init__(self, settings: Settings, http: SafeHttp, clock: Callable[[], float] = time.monotonic) -> None:
        assert settings.oidc_issuer
        assert settings.oidc_client_id
        self._issuer = settings.oidc_issuer.rstrip("/")
        self._client_id = settings.oidc_client_id
        self._secret = settings.oidc_client_secret.get_secret_value() if settings.oidc_client_secret else None
        self._redirect_uri = f"{settings.orchestrator_public_url}/auth/oidc/oidc/callback"
        self._http = http
        self._clock = clock
        self._discovery: tuple[float, _Discovery] | None = None
        self._keys: tuple[float, dict[str, jwt.PyJWK]] | None = None

    async def authorize_url(self, attempt: Attempt) -> str:
        """Return where the browser goes to sign in.

        Raises:
            Unavailable: the provider does not say where that is.
        """
        try:
            found = await self._discover()
        except OidcRefused as error:
            raise Unavailable(f"the provider of sign-in: {error.detail}") from None
        query = {
            "response_type": "code", "client_id": self._client_id, "redirect_uri": self._redirect_uri,
            "scope": "openid email profile", "state": attempt.state, "nonce": attempt.nonce,
            "code_challenge": attempt.challenge, "code_challenge_method": "S256",
        }  # fmt: skip
        joint = "&" if urlsplit(found.authorization_endpoint).query else "?"
        return f"{found.authorization_endpoint}{joint}{urlencode(query)}"

    async def redeem(self, code: str | None, attempt: Attempt) -> Identity:
        """Exchange the code that came back, if one did, for whom it stands.

        Raises:
            OidcRefused: the provider refuses the code, or its token does not hold.
            OidcUnverified: it does not vouch for the address.
        """
        if not code:
            raise OidcRefused("the provider signed nobody in")
        found = await self._discover()
        token = await self._token(found, code, attempt)
        claims = await self._claims(found, token, attempt)
        email, verified = claims.get("email"), claims.get("email_verified")
        if not isinstance(email, str) or len(email) > _MAX_EMAIL or (verified is not True and verified != "true"):
            raise OidcUnverified("the provider has not verified the e-mail address")
        return Identity(str(claims["sub"]), email.strip(), str(claims.get("name") or "").strip())

    async def _token(self, found: _Discovery, code: str, attempt: Attempt) -> str:
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": self._redirect_uri,
            "code_verifier": attempt.verifier,
        }  # fmt: skip
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        if self._secret and "client_secret_basic" in found.token_endpoint_auth_methods_supported:
            pair = f"{quote_plus(self._client_id)}:{quote_plus(self._secret)}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": self._client_id} | ({"client_secret": self._secret} if self._secret else {})
        answer = await self._ask("POST", found.token_endpoint, headers, urlencode(form).encode())
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise OidcRefused("the provider gave no token of who signed in")
        return token

    async def _claims(self, found: _Discovery, token: str, attempt: Attempt) -> dict[str, Any]:
        try:
            key = await self._key(found, jwt.get_unverified_header(token).get("kid"))
            claims: dict[str, Any] = jwt.decode(
                token, key, algorithms=ALGORITHMS, audience=self._client_id, issuer=found.issuer,
                leeway=_LEEWAY_SECONDS, options={"require": _REQUIRED},
            )  # fmt: skip
        except jwt.PyJWTError as error:
            raise OidcRefused(f"the provider's token does not hold: {error}") from None
        if not crypto.same(str(claims["nonce"]), attempt.nonce):
            raise OidcRefused("the provider's token was made for another sign-in")
        if claims.get("azp", self._client_id) != self._client_id:
            raise OidcRefused("the provider's token was made for another application")
        return claims

    async def _key(self, found: _Discovery, key_id: object) -> jwt.PyJWK:
        """Return the provider's key; one that is not known may be new, so it is asked again, not too often."""
        age = self._clock() - self._keys[0] if self._keys else None
        known = self._keys[1] if self._keys else {}
        if age is None or age > _FRESH_SECONDS or (key_id not in known and age > _ASK_KEYS_AGAIN_SECONDS):
            answer = await self._ask("GET", found.jwks_uri)
            known = {key.key_id or "": key for key in jwt.PyJWKSet.from_dict(answer).keys}
            self._keys = (self._clock(), known)
        if key_id is None and len(known) == 1:
            return next(iter(known.values()))
        if key_id not in known:
            raise OidcRefused("the provider's token is signed by a key that the provider does not name")
        return known[str(key_id)]

    async def _discover(self) -> _Discovery:
        if self._discovery and self._clock() - self._discovery[0] < _FRESH_SECONDS:
            return self._discovery[1]
        answer = await self._ask("GET", f"{self._issuer}/.well-known/openid-configuration")
        try:
            found = _Discovery.model_validate(answer)
        except ValidationError:
            raise OidcRefused("the provider does not say where to sign in") from None
        if found.issuer.rstrip("/") != self._issuer:
            raise OidcRefused("the provider calls itself by another name than OIDC_ISSUER")
        self._discovery = (self._clock(), found)
        return found

    async def _ask(
        self, method: str, url: str, headers: dict[str, str] | None = None, body: bytes | None = None
    ) -> dict[str, Any]:
        try:
            answer = await self._http.request(method, url, headers=headers, body=body, max_bytes=_MAX_BYTES)
        except XinError as error:
            log.warning("the provider of sign-in does not answer", reason=error.detail)
            raise OidcRefused("the provider does not answer") from None
        if answer.status != 200:
            log.warning("the provider of sign-in refuses", status=answer.status, host=urlsplit(url).hostname)
            raise OidcRefused(f"the provider refuses (status {answer.status})")
        try:
            found = orjson.loads(answer.body)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise OidcRefused("the provider does not answer in JSON")
        return found
