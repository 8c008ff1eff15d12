"""The floor: the least that a turn can cost here.

A bare Starlette app verifies a token, stores the message, asks pgvector once, relays the model's stream and stores
the reply. No ORM, no layers, no search for words, no checks.

Run with `python -m bench.floor --port N --data-dir FOLDER --model-url URL --passages N`.
"""

import argparse
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID, uuid4

import aiohttp
import jwt
import numpy as np
import orjson
import psycopg
import uvicorn
from psycopg_pool import AsyncConnectionPool
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from chatbot.db.server import BundledPostgres

SECRET = "the floor's own secret, of 32 bytes and more"
_DIMENSIONS = 384
_NEAREST = 8
_SCHEMA = f"""
CREATE EXTENSION IF NOT EXISTS vector;
DROP TABLE IF EXISTS messages, passages;
CREATE TABLE messages (id uuid PRIMARY KEY, conversation_id uuid NOT NULL, role text NOT NULL, text text NOT NULL,
                       created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE passages (id bigserial PRIMARY KEY, tenant_id int NOT NULL, text text NOT NULL,
                       embedding halfvec({_DIMENSIONS}) NOT NULL);
"""
_INDEX = "CREATE INDEX ON passages USING hnsw (embedding halfvec_ip_ops)"
_INSERT = "INSERT INTO messages (id, conversation_id, role, text) VALUES (%s, %s, %s, %s)"
_SEARCH = "SELECT id, text FROM passages ORDER BY embedding <#> %s::halfvec LIMIT %s"


class Floor:
    """One turn, as bare as it gets."""

    def __init__(self, pool: AsyncConnectionPool, http: aiohttp.ClientSession, model_url: str) -> None:
        self._pool = pool
        self._http = http
        self._model_url = f"{model_url}/v1/chat/completions"
        chance = np.random.default_rng(1)
        self._questions = [_literal(row) for row in _unit(chance.standard_normal((64, _DIMENSIONS)))]

    async def chat(self, request: Request) -> Response:
        """Take a message and stream the answer."""
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        try:
            jwt.decode(token, SECRET, algorithms=["HS256"], options={"require": ["exp", "sub"]})
        except jwt.PyJWTError:
            return JSONResponse({"title": "Unauthorized"}, 401)
        asked = orjson.loads(await request.body())
        conversation = UUID(asked["conversation_id"]) if "conversation_id" in asked else uuid4()
        async with self._pool.connection() as connection:
            await connection.execute(_INSERT, (uuid4(), conversation, "visitor", asked["message"]))
            cursor = await connection.execute(_SEARCH, (random.choice(self._questions), _NEAREST))
            passages = [text for _, text in await cursor.fetchall()]
        return StreamingResponse(self._answer(conversation, asked["message"], passages), media_type="text/event-stream")

    async def _answer(self, conversation: UUID, question: str, passages: list[str]) -> AsyncIterator[bytes]:
        reply = uuid4()
        yield _sse(1, "message", {"conversation_id": str(conversation), "message_id": str(reply)})
        parts: list[str] = []
        async for text in self._relayed(question, passages):
            parts.append(text)
            yield _sse(len(parts) + 1, "delta", {"text": text})
        answer = "".join(parts)
        async with self._pool.connection() as connection:
            await connection.execute(_INSERT, (reply, conversation, "bot", answer))
        done = {"conversation_id": str(conversation), "message_id": str(reply), "answer": answer, "mode": "model"}
        yield _sse(len(parts) + 2, "done", done)

    async def _relayed(self, question: str, passages: list[str]) -> AsyncIterator[str]:
        messages = [{"role": "system", "content": "\n\n".join(passages)}, {"role": "user", "content": question}]
        body = orjson.dumps({"model": "bench", "stream": True, "messages": messages})
        async with self._http.post(self._model_url, data=body, headers={"Content-Type": "application/json"}) as stream:
            async for line in stream.content:
                if line.startswith(b"data: {"):
                    text = orjson.loads(line[6:])["choices"][0]["delta"].get("content")
                    if text:
                        yield text


def token() -> str:
    """Return a visitor's token for the floor."""
    return jwt.encode({"sub": "visitor", "exp": int(time.time()) + 3600}, SECRET, algorithm="HS256")


def _sse(number: int, name: str, data: dict[str, str]) -> bytes:
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (number, name.encode(), orjson.dumps(data))


def _unit(vectors: "np.typing.NDArray[np.float64]") -> "np.typing.NDArray[np.float64]":
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def _literal(vector: "np.typing.NDArray[np.float64]") -> str:
    return f"[{','.join(f'{value:.5g}' for value in vector)}]"


def _fill(url: str, passages: int) -> None:
    """Make tables of the given size; the index is built after the load."""
    chance = np.random.default_rng(0)
    text = "A passage of the size that real ones have, so that reading it costs what it costs there. " * 9
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_SCHEMA)
        with connection.cursor().copy("COPY passages (tenant_id, text, embedding) FROM STDIN") as copy:
            for place, vector in enumerate(_unit(chance.standard_normal((passages, _DIMENSIONS)))):
                copy.write_row((place % 4, text, _literal(vector)))
        connection.execute(_INDEX)
        connection.execute("ANALYZE")


async def _health(_request: Request) -> Response:
    return Response(b"ok")


def create_app(database_url: str, model_url: str) -> Starlette:
    """Compose the app."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        connector = aiohttp.TCPConnector(limit=0)
        async with (
            aiohttp.ClientSession(connector=connector) as http,
            AsyncConnectionPool(database_url, min_size=4, max_size=10, open=False) as pool,
        ):
            floor = Floor(pool, http, model_url)
            app.router.routes.append(Route("/v1/chat/stream", floor.chat, methods=["POST"]))
            yield

    return Starlette(routes=[Route("/health", _health)], lifespan=lifespan)


def main() -> None:
    """Fill the tables and serve until ended."""
    parser = argparse.ArgumentParser(prog="python -m bench.floor", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--model-url", required=True)
    parser.add_argument("--passages", type=int, required=True)
    arguments = parser.parse_args()
    postgres = BundledPostgres(arguments.data_dir)
    postgres.start()
    url = postgres.url.replace("/xin?", "/postgres?")
    try:
        _fill(url, arguments.passages)
        app = create_app(url, arguments.model_url)
        uvicorn.run(app, port=arguments.port, loop="uvloop", log_level="error", access_log=False)
    finally:
        postgres.stop()


if __name__ == "__main__":
    main()
