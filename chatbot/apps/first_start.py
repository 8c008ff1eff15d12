"""What a new platform holds: the first admin, the demo tenant, and what the demo tenant knows about Xin."""

import asyncio
from pathlib import Path

from chatbot import knowledge
from chatbot.apps.runtime import Runtime
from chatbot.identity.bootstrap import FirstStart, ensure_first_rows
from chatbot.identity.demo import DEMO_BRAND_ID, DEMO_TENANT_ID
from chatbot.knowledge.content import content_of_json
from chatbot.knowledge.schemas import NewSource
from chatbot.knowledge.service import KnowledgeService

_PATIENCE = 60  # seconds
_PAGES = Path(knowledge.__file__).parent / "demo"


async def first_start(runtime: Runtime) -> FirstStart | None:
    """Make the first rows where there are none.

    Returns:
        The first sign-in, None when this was not the first start.
    """
    first = await ensure_first_rows(runtime.database, runtime.settings)
    if first:
        await _teach_the_demo_tenant(runtime)
    return first


async def demo_is_read(runtime: Runtime) -> bool:
    """Wait until the demo tenant can be asked, at most a minute; return whether it can."""
    service = _service(runtime)
    for _ in range(_PATIENCE * 4):
        jobs, _cursor = await service.jobs(DEMO_TENANT_ID, status=None, source_id=None, before=None, limit=10)
        if all(job.status not in {"pending", "running"} for job in jobs):
            return True
        await asyncio.sleep(0.25)
    return False


def _service(runtime: Runtime) -> KnowledgeService:
    return KnowledgeService(runtime.database, runtime.blobs, runtime.jobs, runtime.retriever.store, runtime.settings)


async def _teach_the_demo_tenant(runtime: Runtime) -> None:
    service = _service(runtime)
    for page in sorted(_PAGES.glob("*.md")):
        text = page.read_text(encoding="utf-8")
        title = text.splitlines()[0].lstrip("# ")
        given = NewSource(title=title, content=text, external_id=page.stem, language=page.stem.split(".")[-1])
        content = content_of_json(given, limit=runtime.settings.max_upload_bytes)
        assert content is not None, "a text source holds its content"
        await service.take_content(DEMO_TENANT_ID, DEMO_BRAND_ID, given, content)
