"""Snapshots of Qdrant's collections: made, fetched and put back over its HTTP API (the client cannot fetch them)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO

import aiohttp

from chatbot.core.errors import Unavailable
from chatbot.core.settings import Settings

_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=600)
_PREFIX = "xin_"
_PART = 1024 * 1024


class QdrantSnapshots:
    """The collections of the platform, and a file of each."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http

    async def collections(self) -> list[str]:
        """Return the names of the platform's collections."""
        async with self._http.get("/collections") as answer:
            found = (await answer.json())["result"]["collections"]
        return sorted(one["name"] for one in found if one["name"].startswith(_PREFIX))

    async def save(self, collection: str, sink: IO[bytes]) -> None:
        """Make a snapshot, write it into `sink`, and remove it from Qdrant."""
        async with self._http.post(f"/collections/{collection}/snapshots", params={"wait": "true"}) as answer:
            name = (await answer.json())["result"]["name"]
        path = f"/collections/{collection}/snapshots/{name}"
        try:
            async with self._http.get(path) as answer:
                async for part in answer.content.iter_chunked(_PART):
                    sink.write(part)
        finally:
            async with self._http.delete(path):
                pass

    async def put_back(self, collection: str, file: Path) -> None:
        """Make a collection what a snapshot says."""
        with file.open("rb") as body:
            form = aiohttp.FormData()
            form.add_field("snapshot", body, filename=file.name)
            path = f"/collections/{collection}/snapshots/upload"
            async with self._http.post(path, params={"priority": "snapshot", "wait": "true"}, data=form):
                pass


@asynccontextmanager
async def open_snapshots(settings: Settings) -> AsyncIterator[QdrantSnapshots]:
    """Give the snapshots of the Qdrant at `QDRANT_URL`.

    Raises:
        Unavailable: Qdrant does not answer, or not as asked.
    """
    key = settings.qdrant_api_key.get_secret_value() if settings.qdrant_api_key else ""
    headers = {"api-key": key} if key else {}
    try:
        async with aiohttp.ClientSession(
            settings.qdrant_url, headers=headers, timeout=_TIMEOUT, raise_for_status=True
        ) as http:
            yield QdrantSnapshots(http)
    except aiohttp.ClientError as error:
        raise Unavailable(f"QDRANT_URL: {str(error) or type(error).__name__}") from error
