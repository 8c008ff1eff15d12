"""Files in a bucket: on a slow line, from a store that falls silent, with a key that makes no buckets."""

import asyncio
import io
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from moto.server import ThreadedMotoServer
from pydantic import SecretStr

from chatbot.core import blobs
from chatbot.core.blobs import Pace, open_bucket
from chatbot.core.errors import NotFound, Unavailable
from chatbot.core.settings import Settings
from tests.ports import free_port

_PIECE = b"x" * 10_000
_PIECES = 25
_IMPATIENT = Pace(timedelta(seconds=1), 5 * 1024 * 1024, at_once=2)


def _settings(address: str) -> Settings:
    return Settings(
        storage_endpoint_url=address, storage_access_key=SecretStr("key"), storage_secret_key=SecretStr("secret")
    )


class _Store:
    """An object store over one bucket that is there: what it answers to, and how fast it gives a file."""

    def __init__(self, *, may_list: bool = True, stops_after: int = _PIECES, answers: bool = True) -> None:
        self._may_list = may_list
        self._stops_after = stops_after
        self._answers = answers
        self.asked_for_file = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if not self._answers:
            await asyncio.sleep(60)
        if request.path.endswith("/file"):
            return await self._file(request)
        if request.method == "PUT":
            return web.Response(status=403, text="<Error><Code>AccessDenied</Code></Error>")
        if not self._may_list:
            return web.Response(status=403, text="<Error><Code>AccessDenied</Code></Error>")
        return web.Response(text=_LISTED, content_type="application/xml")

    async def _file(self, request: web.Request) -> web.StreamResponse:
        self.asked_for_file += 1
        answer = web.StreamResponse(headers={"ETag": '"x"', "Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT"})
        answer.content_length = _PIECES * len(_PIECE)
        await answer.prepare(request)
        for number in range(_PIECES):
            if number >= self._stops_after:
                await asyncio.sleep(60)
            await answer.write(_PIECE)
            await asyncio.sleep(0.1)
        return answer


_LISTED = '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>xin</Name></ListBucketResult>'


@asynccontextmanager
async def _served(store: _Store) -> AsyncIterator[Settings]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", store.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield _settings(f"http://127.0.0.1:{port}")
    finally:
        await runner.cleanup()


@pytest.fixture
def s3() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


async def test_a_file_that_comes_slowly_comes_whole() -> None:
    """It takes two and a half times what the store may be silent for."""
    store, sink = _Store(), io.BytesIO()
    async with _served(store) as settings:
        await (await open_bucket(settings, "xin", _IMPATIENT)).copy_to("file", sink)
    assert sink.getvalue() == _PIECE * _PIECES
    assert store.asked_for_file == 1


async def test_a_store_that_falls_silent_is_given_up() -> None:
    async with _served(_Store(stops_after=3)) as settings:
        with pytest.raises(Unavailable):
            await asyncio.wait_for((await open_bucket(settings, "xin", _IMPATIENT)).copy_to("file", io.BytesIO()), 30)


async def test_a_large_file_goes_in_parts_of_its_pace(s3: str) -> None:
    bucket = await open_bucket(_settings(s3), "of-large-files", Pace(timedelta(minutes=1), 8 * 1024 * 1024, at_once=2))
    await bucket.put_stream("large", io.BytesIO(bytes(17 * 1024 * 1024)))
    async with aiohttp.ClientSession() as http, http.head(f"{s3}/of-large-files/large") as found:
        assert found.headers["ETag"].strip('"').endswith("-3")
        assert found.content_length == 17 * 1024 * 1024


async def test_a_bucket_that_is_there_serves_a_key_that_makes_none() -> None:
    async with _served(_Store()) as settings:
        bucket = await open_bucket(settings, "xin")
        assert [key async for key in bucket.all_keys()] == []


async def test_a_bucket_that_is_neither_made_nor_listed_is_refused_in_words() -> None:
    async with _served(_Store(may_list=False)) as settings:
        with pytest.raises(Unavailable, match=r"xin cannot be made \(status 403\), nor listed"):
            await open_bucket(settings, "xin")


async def test_a_store_that_does_not_answer_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blobs, "_CONNECT", timedelta(seconds=0.5))
    async with _served(_Store(answers=False)) as settings:
        with pytest.raises(Unavailable, match="STORAGE_ENDPOINT_URL"):
            await open_bucket(settings, "xin")


@pytest.mark.parametrize("kind", ["folder", "bucket"])
async def test_a_file_is_read_in_parts(kind: str, tmp_path: Path, s3: str) -> None:
    body = bytes(range(256)) * 4096 * 5
    store = await open_bucket(_settings(s3), "attachments") if kind == "bucket" else blobs.open_folder(tmp_path / "f")
    await store.put("a/b", body)
    file = await store.open("a/b")
    assert file.size == len(body)
    parts = [part async for part in file.parts]
    assert b"".join(parts) == body
    assert max(map(len, parts)) < len(body) / 2
    with pytest.raises(NotFound):
        await store.open("a/c")


async def test_a_store_that_falls_silent_while_a_file_is_read_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blobs, "_PART_BYTES", 1)
    async with _served(_Store(stops_after=3)) as settings:
        store = await open_bucket(settings, "xin", _IMPATIENT)
        file = await store.open("file")
        assert file.size == _PIECES * len(_PIECE)
        with pytest.raises(Unavailable):
            async for _ in file.parts:
                pass
