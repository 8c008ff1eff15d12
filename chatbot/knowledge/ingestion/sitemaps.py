"""The pages of a sitemap as sources of their own: new ones are added, known ones read again, vanished ones removed."""

from collections import Counter

import procrastinate

from chatbot.core.ids import new_id
from chatbot.db.models import KnowledgeSource
from chatbot.db.sessions import TenantSession
from chatbot.knowledge import queueing, repository
from chatbot.knowledge.crawl import NamedPages
from chatbot.knowledge.index.chosen import Chosen
from chatbot.knowledge.index.vectors import VectorStore


async def adopt_pages(
    session: TenantSession,
    parent: KnowledgeSource,
    named: NamedPages,
    *,
    queue: procrastinate.App,
    queue_name: str,
    store: VectorStore,
) -> str:
    """Bring the children of a held sitemap in line with what it names now, and queue their reading.

    Passages of the sitemap itself are removed: those of a file or a text that it took the place of answer until now.
    A page that it names no more is removed, but only when all of it could be read: a part that does not answer today
    must not take its pages along.

    Returns:
        A sentence on how many pages are to be read and why others are not.
    """
    known = await repository.children_by_url(session, parent.id)
    again = [known.pop(url) for url in named.pages if url in known]
    gone = list(known.values()) if named.complete else []
    await queueing.replace_sources(
        queue, session, store, parent.brand_id, again=again, vanished=gone, leaving=[Chosen(parent.id)]
    )
    by_url = {str(child.url): child for child in again}
    pages = [by_url.get(url) or _page_of(parent, url) for url in named.pages]
    session.add_all(page for page in pages if str(page.url) not in by_url)
    for child in again:
        child.tags, child.visibility, child.language = list(parent.tags), parent.visibility, parent.language
    await queueing.new_jobs(queue, session, pages, queue=queue_name)
    return _summary(named, len(gone))


def _page_of(parent: KnowledgeSource, url: str) -> KnowledgeSource:
    return KnowledgeSource(
        tenant_id=parent.tenant_id, id=new_id(), brand_id=parent.brand_id, parent_id=parent.id, kind="url",
        title=url[:500], titled=False, url=url, language=parent.language, tags=list(parent.tags),
        visibility=parent.visibility, version=1, passage_count=0, status="pending",
    )  # fmt: skip


def _summary(named: NamedPages, vanished: int) -> str:
    said = [f"{len(named.pages)} pages are to be read, each by a job of its own."]
    if vanished:
        said.append(f"{vanished} pages that are gone were removed.")
    if not named.complete:
        said.append("The sitemap could not be read to its end: pages from before were kept.")
    if named.refused:
        reasons = Counter(page.reason for page in named.refused)
        said.append("Not taken: " + " ".join(f"{count} × {reason}" for reason, count in reasons.most_common(5)))
    return " ".join(said)
