"""The floor for sockets: a bare uvicorn server that answers the first frame and then keeps the socket.

Run with `python -m bench.bare_sockets --port N`.
"""

import argparse
from typing import Any

import uvicorn

Scope = dict[str, Any]
_READY = '{"type":"ready","conversation_id":null}'
_ANSWER = [
    {"type": "http.response.start", "status": 200, "headers": []},
    {"type": "http.response.body", "body": b"ok"},
]


async def app(scope: Scope, receive: Any, send: Any) -> None:
    """Serve `/health`, and sockets on every path."""
    if scope["type"] == "http":
        for message in _ANSWER:
            await send(message)
        return
    await receive()
    await send({"type": "websocket.accept"})
    await receive()
    await send({"type": "websocket.send", "text": _READY})
    while (await receive())["type"] != "websocket.disconnect":
        pass


def main() -> None:
    """Serve until ended."""
    parser = argparse.ArgumentParser(prog="python -m bench.bare_sockets", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    uvicorn.run(
        app, port=parser.parse_args().port, loop="uvloop", log_level="error", access_log=False, lifespan="off",
        ws="websockets-sansio", ws_per_message_deflate=False,
    )  # fmt: skip


if __name__ == "__main__":
    main()
