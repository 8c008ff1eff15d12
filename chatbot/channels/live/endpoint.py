"""`/ws` as plain ASGI: each layer between the server and the session would cost every idle socket a frame."""

import time
from collections.abc import Awaitable
from uuid import UUID

from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from chatbot.channels.live.chat import HELLO_SECONDS, LiveChat
from chatbot.channels.live.socket import Drop, Socket
from chatbot.core.errors import InvalidInput, XinError
from chatbot.core.web import problem_response

PATH = "/ws"
DROP = "xin.drop"
"""The extension of our server that closes a socket whose client does not read: `(code, reason)`, without waiting."""

_GOODBYE = (1000, 1001)


class LiveEndpoint:
    """The ASGI application of `/ws`."""

    def __init__(self, chat: LiveChat) -> None:
        self._chat = chat

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Take a socket, or refuse it with a problem document, and keep it until it ends."""
        headers = Headers(scope=scope)
        try:
            socket = self._socket(scope, headers, send)
        except XinError as error:
            return _refuse(error, scope, receive, send)
        return self._session(socket, headers.get("host", ""), receive, send)

    def _socket(self, scope: Scope, headers: Headers, send: Send) -> Socket:
        address = scope["client"][0] if scope.get("client") else ""
        asked_tenant = _tenant(headers.get("x-tenant-id"))
        self._chat.admit(address)
        drop: Drop = scope["extensions"][DROP]
        return Socket(
            send, drop, address=address, origin=headers.get("origin"), asked_tenant=asked_tenant,
            check_at=time.monotonic() + HELLO_SECONDS,
        )  # fmt: skip

    async def _session(self, socket: Socket, host: str, receive: Receive, send: Send) -> None:
        self._chat.begin(socket)
        said_goodbye = False
        try:
            await receive()
            await send({"type": "websocket.accept"})
            while (message := await receive())["type"] != "websocket.disconnect":
                if not socket.closing:
                    await self._chat.receive(socket, message.get("text"), host)
            said_goodbye = message.get("code") in _GOODBYE
        except OSError:
            pass  # gone before it was accepted
        finally:
            socket.closing = True
            self._chat.ended(socket, said_goodbye=said_goodbye)


async def _refuse(error: XinError, scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await WebSocket(scope, receive, send).send_denial_response(problem_response(error))


def _tenant(given: str | None) -> UUID | None:
    try:
        return UUID(given) if given else None
    except ValueError:
        raise InvalidInput.field("X-Tenant-Id", "must be a UUID") from None
