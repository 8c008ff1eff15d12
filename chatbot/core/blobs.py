"""Files: one set of calls over a local folder or an S3 bucket."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING

import aiohttp
import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, ObjectStore, S3Store

from chatbot.core.errors import NotFound, Unavailable
from chatbot.core.settings import ConfigurationError, Settings

if TYPE_CHECKING:
    from obstore import GetResult

_CONNECT, _MINUTE, _DAY = timedelta(seconds=10), timedelta(minutes=1), timedelta(days=1)
_MEGABYTE = 1024 * 1024
_PART_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Pace:
    """How large files travel: in how large parts, how many at once, and after what silence one is given up.

    There is no limit of a file's whole time: a large one on a slow line takes as long as it takes. A part that is
    sent must be there within the silence.
    """

    silence: timedelta
    part_bytes: int
    at_once: int


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A stored file that is read as it comes; `parts` are of `size` bytes together.

    `parts` raises `Unavailable` where the store stops answering in between.
    """

    size: int
    parts: AsyncIterator[bytes]


_OF_A_FILE = Pace(timedelta(seconds=10), 5 * _MEGABYTE, at_once=4)
OF_A_BACKUP = Pace(timedelta(minutes=5), 32 * _MEGABYTE, at_once=2)
"""10,000 parts are the most that S3 takes: 320 GB, on any line of 2 Mbit/s."""


class BlobStore:
    """Whole files under keys such as `<tenant>/uploads/<uuid>`; keys come from us, never from a file's name."""

    def __init__(self, store: ObjectStore, pace: Pace = _OF_A_FILE) -> None:
        self._store = store
        self._pace = pace

    async def put(self, key: str, body: bytes) -> None:
        """Store a file, replacing what was there.

        Raises:
            Unavailable: the store does not answer; nothing was written.
        """
        try:
            await obstore.put_async(self._store, key, body)
        except BaseError as error:
            raise Unavailable(f"the file store did not accept the file: {_short(error)}") from error

    async def put_stream(self, key: str, file: IO[bytes] | AsyncIterator[bytes]) -> None:
        """Store a file from where it is read or made, in parts: it is never whole in memory.

        Raises:
            Unavailable: the store does not answer; nothing was written, as after whatever `file` itself raises.
        """
        pace = self._pace
        try:
            await obstore.put_async(self._store, key, file, chunk_size=pace.part_bytes, max_concurrency=pace.at_once)
        except BaseError as error:
            raise Unavailable(f"the file store did not accept the file: {_short(error)}") from error

    async def get(self, key: str) -> bytes:
        """Read a whole file.

        Raises:
            NotFound: no file under this key.
            Unavailable: the store does not answer.
        """
        with _reading():
            answer = await obstore.get_async(self._store, key)
            return bytes(await answer.bytes_async())

    async def open(self, key: str) -> OpenFile:
        """Begin to read a file: it is never whole in memory.

        Raises:
            NotFound: no file under this key.
            Unavailable: the store does not answer.
        """
        with _reading():
            answer = await obstore.get_async(self._store, key)
        return OpenFile(answer.meta["size"], _parts_of(answer))

    async def all_keys(self) -> AsyncIterator[str]:
        """Give the key of every file, in no order; what begins with a dot is none, but what a restore has put aside.

        Raises:
            Unavailable: the store does not answer.
        """
        try:
            async for page in obstore.list(self._store):
                for found in page:
                    if not found["path"].startswith("."):
                        yield found["path"]
        except BaseError as error:
            raise Unavailable(f"the file store did not answer: {_short(error)}") from error

    async def copy_to(self, key: str, sink: IO[bytes]) -> None:
        """Write a file into `sink` as it comes: it is never whole in memory.

        Raises:
            NotFound: no file under this key.
            Unavailable: the store does not answer.
        """
        try:
            answer = await obstore.get_async(self._store, key)
            async for part in answer.stream():
                sink.write(part)
        except (NotFoundError, FileNotFoundError):
            raise NotFound("this file is not stored any more") from None
        except BaseError as error:
            raise Unavailable(f"the file store did not answer: {_short(error)}") from error

    async def delete(self, key: str) -> None:
        """Remove a file; a missing one is fine."""
        try:
            await obstore.delete_async(self._store, key)
        except (NotFoundError, FileNotFoundError):
            return
        except BaseError as error:
            raise Unavailable(f"the file store did not delete the file: {_short(error)}") from error

    async def check(self) -> None:
        """Raise `Unavailable` when the store cannot be reached."""
        try:
            await asyncio.wait_for(obstore.list_with_delimiter_async(self._store, prefix="health"), timeout=5)
        except (BaseError, TimeoutError) as error:
            raise Unavailable(f"the file store did not answer: {_short(error)}") from error


async def open_blobs(settings: Settings) -> BlobStore:
    """Open the configured store; the bucket is made on demand."""
    if settings.storage_endpoint_url:
        return await open_bucket(settings, settings.storage_bucket)
    folder = settings.folder("uploads")
    folder.mkdir(parents=True, exist_ok=True)
    return open_folder(folder)


def open_folder(folder: Path) -> BlobStore:
    """Open a local folder of files."""
    return BlobStore(LocalStore(prefix=folder, mkdir=True))


async def open_bucket(settings: Settings, bucket: str, pace: Pace = _OF_A_FILE) -> BlobStore:
    """Open a bucket of the configured S3 endpoint, made on demand.

    Raises:
        ConfigurationError: no endpoint is configured.
        Unavailable: the endpoint does not answer, or the bucket is not there and cannot be made.
    """
    if not (settings.storage_endpoint_url and settings.storage_access_key and settings.storage_secret_key):
        raise ConfigurationError(f"STORAGE_ENDPOINT_URL: is needed to reach the bucket {bucket}")
    store = S3Store(
        bucket,
        endpoint=settings.storage_endpoint_url,
        region=settings.storage_region,
        access_key_id=settings.storage_access_key.get_secret_value(),
        secret_access_key=settings.storage_secret_key.get_secret_value(),
        virtual_hosted_style_request=False,
        client_options={
            "allow_http": settings.storage_endpoint_url.startswith("http://"), "connect_timeout": _CONNECT,
            "read_timeout": pace.silence, "timeout": _DAY,
        },
        retry_config={"max_retries": 2},
    )  # fmt: skip
    await _ensure_bucket(store, bucket)
    return BlobStore(store, pace)


async def _ensure_bucket(store: S3Store, bucket: str) -> None:
    """Make a bucket; one that is there already may be refused, to a key that makes none: it must be listed then.

    obstore has no call that makes a bucket; a signed PUT on the bucket's address does.
    """
    url = await obstore.sign_async(store, "PUT", "", expires_in=_MINUTE)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_CONNECT.total_seconds())) as http:
        try:
            async with http.put(url) as answer:
                status = answer.status
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable(f"STORAGE_ENDPOINT_URL: {_short(error)}") from error
    if status not in (200, 409):
        try:
            await BlobStore(store).check()
        except Unavailable as error:
            raise Unavailable(
                f"the bucket {bucket} cannot be made (status {status}), nor listed if it is there: {error}"
            ) from error


async def _parts_of(answer: "GetResult") -> AsyncIterator[bytes]:
    try:
        async for part in answer.stream(min_chunk_size=_PART_BYTES):
            yield bytes(part)
    except BaseError as error:
        raise Unavailable(f"the file store did not answer: {_short(error)}") from error


@contextmanager
def _reading() -> Iterator[None]:
    """Say what goes wrong while a stored file is asked for."""
    try:
        yield
    except (NotFoundError, FileNotFoundError):
        raise NotFound("this file is not stored any more") from None
    except BaseError as error:
        raise Unavailable(f"the file store did not answer: {_short(error)}") from error


def _short(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
