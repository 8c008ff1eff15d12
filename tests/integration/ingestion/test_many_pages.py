"""A sitemap of many pages is removed, read again and replaced in as many statements as one of few."""

from uuid import UUID

import pytest
from sqlalchemy import text

from chatbot.core.ids import new_id
from chatbot.db.models import KnowledgeSource
from chatbot.knowledge import queueing, repository
from chatbot.knowledge.crawl import NamedPages
from chatbot.knowledge.index.drafts import PassageDraft, SourceVersion
from chatbot.knowledge.index.passages import index_passages
from chatbot.knowledge.ingestion import sitemaps
from chatbot.knowledge.schemas import SourceLabels
from chatbot.knowledge.service import KnowledgeService
from tests.conftest import make_tenant
from tests.integration.ingestion.conftest import Client
from tests.statements import Sent, sent

SITEMAP = "http://127.0.0.1:9/sitemap.xml"


def _url(number: int) -> str:
    return f"http://127.0.0.1:9/{number}"


async def _sitemap(idle: Client, pages: int) -> tuple[KnowledgeService, UUID]:
    """Give a tenant of its own a sitemap whose pages answer, and are being read again."""
    idle.tenant = await make_tenant(idle.runtime.database)
    runtime, tenant = idle.runtime, idle.tenant
    service = KnowledgeService(runtime.database, runtime.blobs, runtime.jobs, runtime.retriever.store, runtime.settings)
    sitemap = new_id()
    async with runtime.database.tenant(tenant.id) as session:
        rows = [
            KnowledgeSource(
                tenant_id=tenant.id, id=new_id() if number else sitemap, brand_id=tenant.brand_id,
                parent_id=sitemap if number else None, kind="url" if number else "sitemap", title=f"Page {number}",
                url=_url(number) if number else SITEMAP, version=2, live_version=1, passage_count=1,
                blob_key=f"{tenant.id}/{number}",
            )
            for number in range(pages + 1)
        ]  # fmt: skip
        session.add_all(rows)
        await session.flush()
        await queueing.new_jobs(runtime.jobs, session, rows, queue=runtime.settings.ingest_queue_name)
        for row in rows[1:]:
            for version in (1, 2):
                of_page = SourceVersion(tenant.brand_id, row.id, version, row.title)
                await index_passages(session, of_page, [PassageDraft(0, f"a valve of {row.title}", "en")])
    return service, sitemap


async def _left(idle: Client) -> tuple[int, ...]:
    """Return the tenant's sources, passages, passages counted, words counted and open jobs."""
    counted = (
        "SELECT count(*) FROM knowledge_sources WHERE tenant_id = :id",
        "SELECT count(*) FROM passages WHERE tenant_id = :id",
        "SELECT coalesce(sum(passages), 0) FROM brand_statistics WHERE tenant_id = :id",
        "SELECT count(*) FROM term_statistics WHERE tenant_id = :id",
        "SELECT count(*) FROM ingestion_jobs WHERE tenant_id = :id AND status IN ('pending', 'running')",
    )
    async with idle.runtime.database.platform() as session:
        return tuple([int(await session.scalar(text(one), {"id": idle.tenant.id})) for one in counted])


def _as_few(few: Sent, many: Sent) -> None:
    assert len(many) == len(few), "\n".join(many.statements)
    for words in (
        ("DELETE FROM passages",),
        ("UPDATE brand_statistics", "languages"),
        ("UPDATE brand_statistics", "gram_"),
    ):
        assert len(many.saying(*words)) == 1, words


async def test_a_sitemap_of_many_pages_is_removed_as_one_of_few(idle: Client) -> None:
    seen = []
    for pages in (2, 40):
        service, sitemap = await _sitemap(idle, pages)
        assert (await _left(idle))[:3] == (pages + 1, 2 * pages, 2 * pages)
        with sent() as statements:
            await service.remove(idle.tenant.id, sitemap)
        seen.append(statements)
        assert await _left(idle) == (0, 0, 0, 0, 0)
        keys = await idle.scalar(
            "SELECT jsonb_array_length(args->'keys') FROM procrastinate_jobs WHERE task_name = 'knowledge:drop_files' "
            "ORDER BY id DESC LIMIT 1"
        )
        assert keys == pages + 1
    _as_few(*seen)
    assert len(seen[1].saying("UPDATE ingestion_jobs")) == 1
    assert len(seen[1].saying("DELETE FROM knowledge_sources")) == 1


@pytest.mark.parametrize("named", [1, 0.5], ids=["all pages again", "half of them gone"])
async def test_a_sitemap_of_many_pages_is_read_again_as_one_of_few(idle: Client, named: float) -> None:
    seen = []
    for pages in (4, 40):
        service, sitemap = await _sitemap(idle, pages)
        kept = int(pages * named)
        listed = NamedPages(tuple(_url(number) for number in range(1, kept + 1)), (), complete=True)
        async with idle.runtime.database.tenant(idle.tenant.id) as session:
            parent = await repository.lock_source(session, sitemap)
            assert parent
            with sent() as statements:
                await sitemaps.adopt_pages(
                    session, parent, listed, queue=service.queue,
                    queue_name=service.settings.ingest_queue_name, store=service.store,
                )  # fmt: skip
                await session.begun()
        seen.append(statements)
        assert (await _left(idle))[:3] == (kept + 1, kept, kept)  # the version that answers stays
        versions = "SELECT DISTINCT version FROM knowledge_sources WHERE tenant_id = :id AND parent_id IS NOT NULL"
        assert await idle.scalar(versions, id=idle.tenant.id) == 3
        # The sitemap's own job, and one for each page.
        assert (await _left(idle))[4] == kept + 1
    inserted = [one.saying("INSERT INTO ingestion_jobs") + one.saying("UPDATE knowledge_sources") for one in seen]
    few, many = (
        Sent([one for one in statements.statements if one not in grown])
        for statements, grown in zip(seen, inserted, strict=True)
    )
    _as_few(few, many)


async def test_a_text_in_a_sitemaps_place_removes_its_pages_at_once(idle: Client) -> None:
    seen = []
    for pages in (2, 40):
        service, sitemap = await _sitemap(idle, pages)
        async with idle.runtime.database.tenant(idle.tenant.id) as session:
            parent = await repository.lock_source(session, sitemap)
            assert parent
            parent.external_id, parent.live_version = "shop", parent.version
        with sent() as statements:
            taken = await service.take_address(
                idle.tenant.id, idle.tenant.brand_id, "url", SourceLabels(url=_url(1), external_id="shop")
            )
        assert taken.source.id == sitemap
        assert (await _left(idle))[0] == 1
        seen.append(statements)
    _as_few(*seen)
