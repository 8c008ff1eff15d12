"""An OpenID provider of the tests: real HTTP, real keys, and each thing a provider may get wrong."""

import base64
import hashlib
import time
from typing import Any
from urllib.parse import urlencode

import jwt
from aiohttp import BasicAuth, web
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from chatbot.core.crypto import random_secret

CLIENT_ID = "xin-console"
CLIENT_SECRET = "a secret/of the client: 100%"


class OidcServer:
    """Attributes that tests change: `claims` go into tokens over the usual ones, `None` leaves one out.

    Attributes:
        signs_with: `(algorithm, key, key id)` of tokens.
        requests: the paths that were asked for.
    """

    def __init__(self) -> None:
        self.rsa = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.elliptic = ec.generate_private_key(ec.SECP256R1())
        self.published: dict[str, Any] = {"one": self.rsa, "two": self.elliptic}
        self.signs_with: tuple[str, Any, str | None] = ("RS256", self.rsa, "one")
        self.claims: dict[str, Any] = {}
        self.discovery: dict[str, Any] = {}
        self.requests: list[str] = []
        self._codes: dict[str, dict[str, str]] = {}
        self._runner: web.AppRunner | None = None
        self.issuer = ""

    async def start(self) -> None:
        """Listen on a free port."""
        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", self._configuration)
        app.router.add_get("/authorize", self._authorize)
        app.router.add_post("/token", self._token)
        app.router.add_get("/keys", self._keys)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.issuer = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Stop listening."""
        assert self._runner
        await self._runner.cleanup()

    async def _configuration(self, request: web.Request) -> web.Response:
        self.requests.append(request.path)
        found = {
            "issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token", "jwks_uri": f"{self.issuer}/keys",
        }  # fmt: skip
        return web.json_response(found | self.discovery)

    async def _authorize(self, request: web.Request) -> web.Response:
        """Somebody signs in at once."""
        asked = dict(request.query)
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = random_secret()
        self._codes[code] = asked
        raise web.HTTPFound(f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}")

    async def _token(self, request: web.Request) -> web.Response:
        self.requests.append(request.path)
        form = await request.post()
        asked = self._codes.pop(str(form["code"]), None)
        if asked is None or not self._is_the_client(request, form) or form["redirect_uri"] != asked["redirect_uri"]:
            return web.json_response({"error": "invalid_grant"}, status=400)
        digest = hashlib.sha256(str(form["code_verifier"]).encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != asked["code_challenge"]:
            return web.json_response({"error": "invalid_grant"}, status=400)
        return web.json_response({"access_token": "x", "token_type": "Bearer", "id_token": self._id_token(asked)})

    def _is_the_client(self, request: web.Request, form: Any) -> bool:
        if "client_secret" in form:
            return (form["client_id"], form["client_secret"]) == (CLIENT_ID, CLIENT_SECRET)
        given = BasicAuth.decode(request.headers["Authorization"])
        return (given.login, given.password) == (CLIENT_ID, "a+secret%2Fof+the+client%3A+100%25")

    def _id_token(self, asked: dict[str, str]) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer, "aud": CLIENT_ID, "sub": "248289761001", "iat": now, "exp": now + 300,
            "nonce": asked["nonce"], "email": "sara@example.com", "email_verified": True, "name": "Sara K.",
        } | self.claims  # fmt: skip
        algorithm, key, key_id = self.signs_with
        kept = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(kept, key, algorithm=algorithm, headers={"kid": key_id} if key_id else None)

    async def _keys(self, request: web.Request) -> web.Response:
        self.requests.append(request.path)
        keys = []
        for key_id, key in self.published.items():
            kind = jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
            keys.append(kind.to_jwk(key.public_key(), as_dict=True) | {"kid": key_id, "use": "sig"})
        return web.json_response({"keys": keys})
