"""The socket protocol of our server: a client that does not read can be dropped, and draining is the chat's."""

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from chatbot.channels.live.endpoint import DROP

MAX_FRAME_BYTES = 64 * 1024
PING_SECONDS = 30.0
_CLOSE_SECONDS = 5.0


class SocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's protocol; the differences are few and each is an override of a method that uvicorn calls itself."""

    def handle_connect(self, event: Request) -> None:
        """Take a handshake; the application, which runs later, finds how to drop the client in its scope."""
        super().handle_connect(event)
        if self.handshake_complete:
            return  # refused
        self.scope["extensions"][DROP] = self.drop  # type: ignore[assignment]  # ASGI servers put in what they like
        self.transport.set_write_buffer_limits(MAX_FRAME_BYTES)

    def start_keepalive(self) -> None:
        """The socket is open: what was said to open it is not needed any more, and thousands of them are much."""
        super().start_keepalive()
        self.scope["headers"] = []
        del self.request, self.response

    def drop(self, code: int, reason: str) -> None:
        """Close behind what was written already; a client that still does not read is cut off after 5 s."""
        if self.close_sent or self.disconnected or self.transport.is_closing():
            return
        self.stop_keepalive()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.conn.send_close(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = self.loop.call_later(_CLOSE_SECONDS, self.transport.abort)

    def keepalive_timeout(self) -> None:
        """The client answers no ping: it is cut off, for it may not read what is still to be written either."""
        super().keepalive_timeout()
        self.transport.abort()

    def shutdown(self) -> None:
        """The server stops. The application says goodbye to open sockets in its own time; handshakes end here."""
        if not self.handshake_complete or self.close_sent:
            super().shutdown()
