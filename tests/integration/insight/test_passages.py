"""Passages changed by hand answer at once; statistics and vectors stay those of what is stored."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest

from chatbot.apps.orchestrator import create_app
from chatbot.apps.runtime import open_runtime
from chatbot.apps.serving import bind, serve
from chatbot.core.ids import new_id
from chatbot.identity.subject import Role
from chatbot.knowledge.embedding.contract import Embedder, Vectors
from chatbot.knowledge.embedding.remote import RemoteEmbedder
from chatbot.knowledge.index.vectors import PostgresVectors
from chatbot.knowledge.retrieval.service import Retriever
from tests.conftest import TEST_KEYS, bearer, make_tenant
from tests.integration.ingestion.conftest import settings_for, working
from tests.integration.insight.conftest import Client, ask

DRIFT = """
SELECT count(*) FROM (
  SELECT term, count(*) AS held FROM passages p, unnest(p.terms) AS term WHERE p.tenant_id = :t GROUP BY term
) stored FULL JOIN (SELECT term, passages FROM term_statistics WHERE tenant_id = :t) counted USING (term)
WHERE stored.held IS DISTINCT FROM counted.passages
"""
SIZE = "SELECT passages || ' ' || languages::text || ' ' || embedded::text FROM brand_statistics WHERE tenant_id = :t"
VECTOR = "SELECT string_agg(embedder || embedding::text, ' ' ORDER BY embedder) FROM passage_vectors WHERE tenant_id=:t"


class Counting:
    """An offline embedder: vectors of letter counts; it says how often it was asked."""

    id = "counting"
    dimensions = 8
    remote = False
    languages: frozenset[str] | None = frozenset({"en"})

    def __init__(self) -> None:
        self.asked = 0

    async def embed_passages(self, texts: Sequence[str]) -> Vectors:
        self.asked += 1
        return letters(texts, self.dimensions)

    async def embed_query(self, text: str) -> Vectors:
        return letters([text], self.dimensions)[0]


def letters(texts: Sequence[str], dimensions: int) -> Any:
    rows = [[float(1 + text.count(chr(97 + n))) for n in range(dimensions)] for text in texts]
    vectors = np.array(rows, np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def remote(name: str = "far") -> RemoteEmbedder:
    async def call(texts: Sequence[str]) -> Any:
        return letters(texts, 16).tolist()

    return RemoteEmbedder(name, call)


@asynccontextmanager
async def shop(database_url: str, folder: Path, embedders: Sequence[Embedder]) -> AsyncIterator[Client]:
    """A platform with embedders, and a worker."""
    listener = bind("127.0.0.1", 0, variable="ORCHESTRATOR_PORT")
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with open_runtime(settings_for(folder), database_url, TEST_KEYS) as opened:
        runtime = replace(opened, retriever=Retriever(embedders, PostgresVectors()))
        async with serve(create_app(runtime), listener), aiohttp.ClientSession(url) as http, working(runtime):
            yield Client(http, runtime, await make_tenant(runtime.database))


@pytest.fixture
async def plain(database_url: str, tmp_path: Path) -> AsyncIterator[Client]:
    """Words only."""
    async with shop(database_url, tmp_path, []) as client:
        yield client


async def known(client: Client, content: str = "# Hours\n\nThe shop opens at nine.", title: str = "Shop") -> str:
    taken = await client.give(title=title, content=content)
    await client.ended(taken["job_id"])
    return str(taken["source_id"])


async def listed(client: Client, source_id: str) -> list[Any]:
    return list((await client.call("GET", f"/admin/knowledge_assets/{source_id}/passages"))["items"])


async def rewrite(client: Client, passage: Any, text: str, status: int = 200) -> Any:
    return await client.call("PATCH", f"/admin/passages/{passage['id']}", status, json={"text": text})


async def drift(client: Client) -> int:
    return int(await client.scalar(DRIFT, t=client.tenant.id))


async def test_a_changed_passage_answers_at_once_under_its_own_id(plain: Client) -> None:
    source_id = await known(plain)
    [passage] = await listed(plain, source_id)
    assert (passage["source_id"], passage["edited_at"], passage["embedders"]) == (source_id, None, [])
    changed = await rewrite(plain, passage, "The shop opens at ten, on Sundays at noon.")
    assert (changed["id"], changed["text"]) == (passage["id"], "The shop opens at ten, on Sundays at noon.")
    assert changed["edited_at"]
    told = await ask(plain, "When does the shop open on Sundays?")
    assert "at ten" in told["answer"]
    assert "nine" not in told["answer"]
    await rewrite(plain, changed, "The shop opens at eleven.")
    source = await plain.source(source_id)
    assert (source["edits"], source["passages"]) == (1, 1)
    assert await drift(plain) == 0
    assert await plain.scalar(SIZE, t=plain.tenant.id) == '1 {"en": 1} {}'


async def test_a_removed_passage_does_not_answer_and_is_counted_out(plain: Client) -> None:
    sections = "\n\n".join(f"# {name}\n\n{name} are kept {'very ' * 40}well." for name in ("Parrots", "Turtles"))
    source_id = await known(plain, sections, "Animals")
    passages = await listed(plain, source_id)
    assert len(passages) == 2
    await plain.call("DELETE", f"/admin/passages/{passages[0]['id']}", 204)
    await plain.call("DELETE", f"/admin/passages/{passages[0]['id']}", 404)
    await rewrite(plain, passages[0], "again", 404)
    source = await plain.source(source_id)
    assert (source["edits"], source["passages"]) == (1, 1)
    assert (await ask(plain, "How are parrots kept?"))["mode"] == "no_answer"
    assert await drift(plain) == 0
    await plain.call("DELETE", f"/admin/knowledge_assets/{source_id}", 204)
    assert await plain.scalar("SELECT count(*) FROM term_statistics WHERE tenant_id = :t", t=plain.tenant.id) == 0


async def test_a_new_version_is_read_without_the_edits(plain: Client) -> None:
    source_id = await known(plain)
    [passage] = await listed(plain, source_id)
    await rewrite(plain, passage, "The shop opens at ten.")
    await plain.call("PATCH", f"/admin/knowledge_assets/{source_id}", json={"title": "Our shop"})
    newest = (await plain.call("GET", "/admin/ingestion_jobs"))["items"][0]
    await plain.ended(newest["id"])
    assert (await plain.source(source_id))["edits"] == 0
    assert (await listed(plain, source_id))[0]["text"].endswith("The shop opens at nine.")
    await rewrite(plain, passage, "Too late: this one is gone.", 404)
    assert await drift(plain) == 0


async def test_the_offline_embedder_is_asked_in_the_request(database_url: str, tmp_path: Path) -> None:
    offline = Counting()
    async with shop(database_url, tmp_path, [offline]) as client:
        [passage] = await listed(client, await known(client))
        before, asked = await client.scalar(VECTOR, t=client.tenant.id), offline.asked
        changed = await rewrite(client, passage, "Bees sleep in the attic.")
        assert offline.asked == asked + 1
        assert changed["embedders"] == ["counting"]
        assert await client.scalar(VECTOR, t=client.tenant.id) != before
        persian = (
            "فروشگاه ما هر روز از ساعت نه صبح تا هشت شب باز است و در روزهای تعطیل از ساعت ده صبح پذیرای شما هستیم. " * 2
        )
        changed = await rewrite(client, passage, persian)
        assert (changed["language"], changed["embedders"]) == ("fa", [])
        assert await client.scalar(VECTOR, t=client.tenant.id) is None
        assert await client.scalar(SIZE, t=client.tenant.id) == '1 {"fa": 1} {}'
        assert await drift(client) == 0


async def test_a_remote_embedders_vector_is_dropped_and_made_again_by_a_job(database_url: str, tmp_path: Path) -> None:
    far = remote()
    async with shop(database_url, tmp_path, [far]) as client:
        source_id = await known(client)
        [passage] = await listed(client, source_id)
        before = await client.scalar(VECTOR, t=client.tenant.id)
        assert (await rewrite(client, passage, "Bees sleep in the attic."))["embedders"] == []
        for _ in range(1200):
            [passage] = await listed(client, source_id)
            if passage["embedders"] == ["far"]:
                break
            await asyncio.sleep(0.05)
        after = await client.scalar(VECTOR, t=client.tenant.id)
        assert after not in (None, before)
        assert await client.scalar(SIZE, t=client.tenant.id) == '1 {"en": 1} {"far": 1}'


async def test_a_vector_of_a_text_that_changed_meanwhile_is_not_kept(database_url: str, tmp_path: Path) -> None:
    held, go = asyncio.Event(), asyncio.Event()

    async def slow(texts: Sequence[str]) -> Any:
        if any("Bees" in text for text in texts):
            held.set()
            await go.wait()
        return letters(texts, 16).tolist()

    async with shop(database_url, tmp_path, [RemoteEmbedder("far", slow)]) as client:
        source_id = await known(client)
        [passage] = await listed(client, source_id)
        await rewrite(client, passage, "Bees sleep in the attic.")
        await asyncio.wait_for(held.wait(), 60)
        await rewrite(client, passage, "Cats sleep on the sofa.")
        go.set()
        for _ in range(1200):
            [passage] = await listed(client, source_id)
            if passage["embedders"]:
                break
            await asyncio.sleep(0.05)
        stored = str(
            await client.scalar("SELECT embedding::text FROM passage_vectors WHERE tenant_id = :t", t=client.tenant.id)
        )
        of_cats = letters(["Shop\nHours\nCats sleep on the sofa."], 16)[0]
        assert [float(value) for value in stored.strip("[]").split(",")] == pytest.approx(of_cats.tolist(), abs=1e-2)


async def test_only_administrators_edit(plain: Client) -> None:
    [passage] = await listed(plain, await known(plain))
    for role in (Role.AGENT, Role.VIEWER):
        headers = bearer(role, plain.tenant.id)
        path = f"/admin/passages/{passage['id']}"
        await plain.call("PATCH", path, 403, headers=headers, json={"text": "x"})
        await plain.call("DELETE", path, 403, headers=headers)
    await rewrite(plain, {"id": new_id()}, "x", 404)
    await rewrite(plain, passage, "", 422)
    await rewrite(plain, passage, "x" * 8001, 422)
