"""A model server that only streams: OpenAI-compatible, 60 tokens, at once or paced; `POST /pace {"ms": 20}` sets which.

`first_ms` (else as `ms`) is the wait before the first token, in which real models read the prompt.

Run with `python -m bench.model_server --port N`.
"""

import argparse
import asyncio
import json
import re
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

TOKENS = 60
_SENTENCE = "You can change this at any time in the settings page of your account, as the help article says [1]. "
_WORDS = re.findall(r"\S+ ", _SENTENCE) * (TOKENS // 20)
_USAGE = {"prompt_tokens": 900, "completion_tokens": TOKENS, "total_tokens": 900 + TOKENS}


def _event(delta: dict[str, str], finish: str | None = None, usage: dict[str, int] | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    body = {"id": "chatcmpl-bench", "object": "chat.completion.chunk", "model": "bench", "choices": [choice]}
    return f"data: {json.dumps(body | ({'usage': usage} if usage else {}))}\n\n".encode()


_EVENTS = [_event({"content": word}) for word in _WORDS]
_END = _event({}, finish="stop", usage=_USAGE) + b"data: [DONE]\n\n"


class Model:
    """Streams the same answer to everyone."""

    def __init__(self) -> None:
        self._pause = self._first = 0.0

    async def pace(self, request: Request) -> Response:
        """Set the milliseconds between tokens, and before the first."""
        asked: dict[str, float] = await request.json()
        self._pause = asked["ms"] / 1000
        self._first = asked.get("first_ms", asked["ms"]) / 1000
        return Response(status_code=204)

    async def complete(self, request: Request) -> Response:
        """Answer a chat request, as a stream when it asks for one."""
        asked: dict[str, Any] = await request.json()
        if asked.get("stream"):
            return StreamingResponse(self._stream(), media_type="text/event-stream")
        message = {"role": "assistant", "content": "".join(_WORDS)}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return JSONResponse({"id": "chatcmpl-bench", "model": "bench", "choices": [choice], "usage": _USAGE})

    async def _stream(self) -> Any:
        await asyncio.sleep(self._first)
        if not self._pause:
            yield b"".join(_EVENTS) + _END
            return
        due = asyncio.get_running_loop().time()
        for event in _EVENTS:
            yield event
            due += self._pause
            await asyncio.sleep(due - asyncio.get_running_loop().time())
        yield _END


async def _health(_request: Request) -> Response:
    return Response(b"ok")


def main() -> None:
    """Serve until ended."""
    parser = argparse.ArgumentParser(prog="python -m bench.model_server", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    model = Model()
    routes = [
        Route("/health", _health),
        Route("/pace", model.pace, methods=["POST"]),
        Route("/v1/chat/completions", model.complete, methods=["POST"]),
    ]
    uvicorn.run(Starlette(routes=routes), port=parser.parse_args().port, log_level="error", access_log=False)


if __name__ == "__main__":
    main()
