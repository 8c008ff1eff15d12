"""The public API as the benchmarks use it: tenants, knowledge, retrieval diagnostics."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import aiohttp

from bench.sets import Document

_READY_SECONDS = 1800
_RETRIES = 6
_MILESTONES = 40
_PAGE = 200
Progress = Callable[[int], None]


class CallFailed(Exception):
    """The platform refused a call; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant made for a benchmark, with a key of its own."""

    id: str
    brand_id: str
    key: str


class Client:
    """Calls a platform as its administrator."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url.rstrip("/")
        self._token = token

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(limit=64)
        self._http = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=120))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.close()

    async def call(self, method: str, path: str, body: Any = None, *, key: str | None = None) -> Any:
        """Call the API; waits and tries again when it answers 429 or 503.

        Raises:
            CallFailed: with status and detail.
        """
        headers = {"Authorization": f"Bearer {key or self._token}"}
        for attempt in range(_RETRIES):
            async with self._http.request(method, self.url + path, json=body, headers=headers) as answer:
                if answer.status in (429, 503) and attempt < _RETRIES - 1:
                    await asyncio.sleep(min(10.0, float(answer.headers.get("Retry-After", "1"))))
                    continue
                if answer.status >= 400:
                    raise CallFailed(f"{method} {path} answered {answer.status}: {(await answer.text())[:500]}")
                return await answer.json(content_type=None) if answer.status != 204 else None
        raise CallFailed(f"{method} {path}: refused {_RETRIES} times")

    async def make_tenant(self, name: str) -> Tenant:
        """Make a tenant and an administrator's key for it."""
        made = await self.call("POST", "/admin/tenants", {"name": name, "timezone": "UTC"})
        wanted = {"tenant_id": made["id"], "name": "bench", "role": "tenant_admin"}
        key = await self.call("POST", "/admin/api_keys", wanted)
        return Tenant(made["id"], made["default_brand_id"], key["key"])

    async def load(
        self, tenant: Tenant, documents: Sequence[Document], *, sent: Progress, ready: Progress, concurrency: int = 16
    ) -> int:
        """Give a tenant documents as knowledge and wait until all are ready.

        Returns:
            The number of passages made of them.

        Raises:
            CallFailed: a document was refused or failed.
        """
        path = f"/v1/brands/{tenant.brand_id}/knowledge"
        slots, done = asyncio.Semaphore(concurrency), 0

        async def give(document: Document) -> str:
            nonlocal done
            body = {"title": document.shown_title, "content": document.text, "external_id": document.id}
            async with slots:
                taken = await self.call("POST", path, body, key=tenant.key)
            done += 1
            sent(done)
            return str(taken["source_id"])

        sources = await asyncio.gather(*(give(document) for document in documents))
        return await self._until_ready(tenant, sources, ready)

    async def until_idle(self, tenant_id: str) -> None:
        """Wait until no knowledge of a tenant is being read."""
        path = f"/admin/ingestion_jobs?tenant_id={tenant_id}&limit=1&status="
        async with asyncio.timeout(_READY_SECONDS):
            while True:
                if not any([(await self.call("GET", path + status))["items"] for status in ("pending", "running")]):
                    return
                await asyncio.sleep(1.0)

    async def _until_ready(self, tenant: Tenant, sources: Sequence[str], ready: Progress) -> int:
        """Wait for every so many-th source, for what was given first is ready first by and large, then count them all.

        To ask for each would cost a large set more than reading it.
        """
        step = max(1, len(sources) // _MILESTONES)
        async with asyncio.timeout(_READY_SECONDS):
            for place in range(step, len(sources) + 1, step):
                await self._passages_when_ready(tenant, sources[place - 1])
                ready(place)
            return sum([await self._passages_of(tenant, source) async for source in self._assets(tenant)])

    async def _passages_of(self, tenant: Tenant, asset: dict[str, Any]) -> int:
        if asset["status"] == "ready":
            return int(asset["passages"])
        return await self._passages_when_ready(tenant, asset["id"])

    async def _assets(self, tenant: Tenant) -> AsyncIterator[dict[str, Any]]:
        """List all of a tenant's knowledge, page by page."""
        path: str | None = f"/admin/knowledge_assets?tenant_id={tenant.id}&limit={_PAGE}"
        while path:
            page = await self.call("GET", path, key=tenant.key)
            for asset in page["items"]:
                yield asset
            after = page["next_cursor"]
            path = f"/admin/knowledge_assets?tenant_id={tenant.id}&limit={_PAGE}&cursor={after}" if after else None

    async def _passages_when_ready(self, tenant: Tenant, source: str) -> int:
        wait = 0.25
        while True:
            found = await self.call("GET", f"/v1/brands/{tenant.brand_id}/knowledge/{source}", key=tenant.key)
            if found["status"] == "ready":
                return int(found["passages"])
            if found["status"] == "failed":
                raise CallFailed(f"source {found['external_id']} failed: {found['reason']}")
            await asyncio.sleep(wait)
            wait = min(1.0, wait * 1.5)

    async def retrieve(self, tenant: Tenant, query: str, *, limit: int) -> dict[str, Any]:
        """Ask for the passages of a question, with their scores and the evidence."""
        body = {"tenant_id": tenant.id, "brand_id": tenant.brand_id, "query": query, "limit": limit}
        answer: dict[str, Any] = await self.call("POST", "/admin/diagnostics/retrieval", body, key=tenant.key)
        return answer

    async def least_score(self, tenant: Tenant) -> float:
        """Return the tenant's `min_score`: evidence below it is refused."""
        config = await self.call("GET", f"/admin/policies/{tenant.id}/retrieval_config", key=tenant.key)
        return float(config["min_score"])

    async def without_model(self, tenant: Tenant) -> None:
        """Turn a tenant's model off: answers are made of the passages' own sentences."""
        await self.call("PUT", f"/admin/policies/{tenant.id}", {"smart_mode": False}, key=tenant.key)
