"""The knowledge API: sources, their passages and their jobs, for administrators and for programs of a brand."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.requests import HTTPConnection

from chatbot.core.paging import Cursor, Limit, before_id, number_of
from chatbot.core.schemas import Page, inline_schema
from chatbot.identity.demo import DEMO_TENANT_ID
from chatbot.identity.dependencies import AppSettings, Blobs, Caller, Db, Queue
from chatbot.identity.subject import Role, Subject
from chatbot.knowledge.bodies import is_multipart, json_body, uploaded
from chatbot.knowledge.content import content_of_json
from chatbot.knowledge.index.vectors import VectorStore
from chatbot.knowledge.policy import may_read, may_write
from chatbot.knowledge.repository import SourceFilter
from chatbot.knowledge.retrieval.service import Retriever
from chatbot.knowledge.schemas import (
    Accepted,
    AssetUpload,
    JobStatus,
    JobView,
    KnowledgeAccepted,
    NewSource,
    PassageView,
    SourceChange,
    SourceStatus,
    SourceView,
    Tag,
    UploadLabels,
)
from chatbot.knowledge.service import KnowledgeService, Taken

router = APIRouter(tags=["knowledge"])


async def _vectors(connection: HTTPConnection) -> VectorStore:
    retriever: Retriever = connection.app.state.retriever
    return retriever.store


async def _service(
    database: Db, blobs: Blobs, queue: Queue, settings: AppSettings, store: Annotated[VectorStore, Depends(_vectors)]
) -> KnowledgeService:
    return KnowledgeService(database, blobs, queue, store, settings)


Knowledge = Annotated[KnowledgeService, Depends(_service)]
Tenant = Annotated[UUID, Query(description="The tenant.")]
MaybeTenant = Annotated[UUID | None, Query(alias="tenant_id", description="The tenant; may be left out.")]


async def _tenant_of_asset(asset_id: UUID, knowledge: Knowledge, tenant_id: MaybeTenant = None) -> UUID | None:
    return tenant_id or await knowledge.tenant_of_source(asset_id)


async def _tenant_of_job(job_id: UUID, knowledge: Knowledge, tenant_id: MaybeTenant = None) -> UUID | None:
    return tenant_id or await knowledge.tenant_of_job(job_id)


AssetTenant = Annotated[UUID | None, Depends(_tenant_of_asset)]
JobTenant = Annotated[UUID | None, Depends(_tenant_of_job)]
BrandPath = UUID | Literal["default"]
_SOURCE, _JOB = "source", "job"
_FORM_FIELDS: dict[str, Any] = {
    "file": {"type": "string", "format": "binary"},
    "title": {"type": "string"},
    "external_id": {"type": "string"},
    "url": {"type": "string"},
    "language": {"type": "string"},
    "tags": {"type": "string", "description": "Comma-separated; may be given several times."},
    "visibility": {"type": "string", "enum": ["public", "internal"]},
}
_UPLOAD_FORM: dict[str, Any] = {
    "type": "object",
    "required": ["file", "tenant_id"],
    "properties": {**_FORM_FIELDS, "tenant_id": {"type": "string"}, "brand_id": {"type": "string"}},
}


def _body(**contents: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {kind: {"schema": s} for kind, s in contents.items()}}}


@router.post(
    "/admin/knowledge_assets/upload",
    status_code=202,
    response_model=Accepted,
    openapi_extra=_body(**{"multipart/form-data": _UPLOAD_FORM}),
)
async def upload_asset(request: Request, subject: Caller, knowledge: Knowledge) -> dict[str, Any]:
    """Register a file, store it, and queue the reading of it. The same `external_id` again replaces."""
    async with uploaded(request, AssetUpload, limit=knowledge.settings.max_upload_bytes) as (labels, content):
        tenant_id = may_write(subject, labels.tenant_id)
        await knowledge.require_tenant(tenant_id)
        brand_id = await knowledge.brand(tenant_id, None if labels.brand_id == "default" else labels.brand_id)
        taken = await knowledge.take_content(tenant_id, brand_id, labels, content)
    return {"asset": taken.source, "job": taken.job}


@router.get("/admin/knowledge_assets", response_model=Page[SourceView])
async def list_assets(
    subject: Caller,
    knowledge: Knowledge,
    tenant_id: Tenant,
    brand_id: UUID | None = None,
    status: SourceStatus | None = None,
    tag: Tag | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> dict[str, Any]:
    """List the sources of a tenant, newest first."""
    wanted = SourceFilter(brand_id, status, tag)
    rows, following = await knowledge.sources(
        may_read(subject, tenant_id), wanted, before=before_id(cursor), limit=limit
    )
    return {"items": rows, "next_cursor": following}


@router.get("/admin/knowledge_assets/{asset_id}", response_model=SourceView)
async def get_asset(asset_id: UUID, subject: Caller, knowledge: Knowledge, tenant_id: AssetTenant) -> Any:
    """Show a source."""
    return await knowledge.source(may_read(subject, tenant_id, _SOURCE), asset_id)


@router.patch("/admin/knowledge_assets/{asset_id}", response_model=SourceView)
async def change_asset(
    asset_id: UUID, change: SourceChange, subject: Caller, knowledge: Knowledge, tenant_id: AssetTenant
) -> Any:
    """Change title, tags or visibility."""
    return await knowledge.change(may_write(subject, tenant_id, _SOURCE), asset_id, change)


@router.delete("/admin/knowledge_assets/{asset_id}", status_code=204)
async def remove_asset(asset_id: UUID, subject: Caller, knowledge: Knowledge, tenant_id: AssetTenant) -> Response:
    """Remove a source; its passages stop answering at once."""
    await knowledge.remove(may_write(subject, tenant_id, _SOURCE), asset_id)
    return Response(status_code=204)


@router.get("/admin/knowledge_assets/{asset_id}/passages", response_model=Page[PassageView])
async def list_passages(
    asset_id: UUID,
    subject: Caller,
    knowledge: Knowledge,
    tenant_id: AssetTenant,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> dict[str, Any]:
    """List the passages that answer from a source, in their order."""
    after = number_of(cursor)
    rows, following = await knowledge.passages(
        may_read(subject, tenant_id, _SOURCE), asset_id, after=-1 if after is None else after, limit=limit
    )
    return {"items": rows, "next_cursor": following}


@router.get("/admin/ingestion_jobs", response_model=Page[JobView])
async def list_jobs(
    subject: Caller,
    knowledge: Knowledge,
    tenant_id: Tenant,
    status: JobStatus | None = None,
    source_id: UUID | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> dict[str, Any]:
    """List the ingestion jobs of a tenant, newest first."""
    rows, following = await knowledge.jobs(
        may_read(subject, tenant_id), status=status, source_id=source_id, before=before_id(cursor), limit=limit
    )
    return {"items": rows, "next_cursor": following}


@router.get("/admin/ingestion_jobs/{job_id}", response_model=JobView)
async def get_job(job_id: UUID, subject: Caller, knowledge: Knowledge, tenant_id: JobTenant) -> Any:
    """Show a job."""
    return await knowledge.job(may_read(subject, tenant_id, _JOB), job_id)


@router.delete("/admin/ingestion_jobs/{job_id}", response_model=JobView)
async def cancel_job(job_id: UUID, subject: Caller, knowledge: Knowledge, tenant_id: JobTenant) -> Any:
    """Cancel a job, one that runs too; a version that answered before goes on answering."""
    return await knowledge.cancel(may_write(subject, tenant_id, _JOB), job_id)


@router.post("/admin/ingestion_jobs/{job_id}/requeue", response_model=JobView)
async def requeue_job(job_id: UUID, subject: Caller, knowledge: Knowledge, tenant_id: JobTenant) -> Any:
    """Queue a failed, cancelled or stuck job again."""
    return await knowledge.requeue(may_write(subject, tenant_id, _JOB), job_id)


@router.post(
    "/v1/brands/{brand_id}/knowledge",
    status_code=202,
    response_model=KnowledgeAccepted,
    openapi_extra=_body(
        **{
            "application/json": inline_schema(NewSource),
            "multipart/form-data": {"type": "object", "required": ["file"], "properties": _FORM_FIELDS},
        }
    ),
)
async def add_knowledge(
    brand_id: BrandPath, request: Request, subject: Caller, knowledge: Knowledge
) -> KnowledgeAccepted:
    """Give a brand a text, pairs of question and answer, a page, a sitemap or a file. `external_id` again replaces."""
    tenant_id, brand = await _tenant_and_brand(subject, knowledge, brand_id, Role.TENANT_ADMIN)
    limit = knowledge.settings.max_upload_bytes
    if is_multipart(request):
        async with uploaded(request, UploadLabels, limit=limit) as (labels, content):
            return _accepted(await knowledge.take_content(tenant_id, brand, labels, content))
    given = await json_body(request, NewSource)
    content_given = content_of_json(given, limit=limit)
    if content_given is None:
        return _accepted(await knowledge.take_address(tenant_id, brand, given.kind, given))
    return _accepted(await knowledge.take_content(tenant_id, brand, given, content_given))


@router.get("/v1/brands/{brand_id}/knowledge/{source_id}", response_model=SourceView)
async def get_knowledge(brand_id: BrandPath, source_id: UUID, subject: Caller, knowledge: Knowledge) -> Any:
    """Show a source of a brand."""
    tenant_id, brand = await _tenant_and_brand(subject, knowledge, brand_id, Role.VIEWER)
    return await knowledge.source(tenant_id, source_id, brand_id=brand)


@router.delete("/v1/brands/{brand_id}/knowledge/{source_id}", status_code=204)
async def remove_knowledge(brand_id: BrandPath, source_id: UUID, subject: Caller, knowledge: Knowledge) -> Response:
    """Remove a source of a brand; its passages stop answering at once."""
    tenant_id, brand = await _tenant_and_brand(subject, knowledge, brand_id, Role.TENANT_ADMIN)
    await knowledge.remove(tenant_id, source_id, brand_id=brand)
    return Response(status_code=204)


async def _tenant_and_brand(
    subject: Subject, knowledge: KnowledgeService, brand_id: BrandPath, at_least: Role
) -> tuple[UUID, UUID]:
    """Return a brand and its tenant, when the subject has the role there; another tenant's brand is unknown."""
    if brand_id == "default":
        tenant_id = subject.only_tenant() or (DEMO_TENANT_ID if subject.role is Role.PLATFORM_ADMIN else None)
        tenant_id = subject.reach(tenant_id, at_least, "brand")
        return tenant_id, await knowledge.brand(tenant_id, None)
    own = subject.only_tenant() if subject.role is not Role.PLATFORM_ADMIN else None
    tenant_id = subject.reach(own or await knowledge.tenant_of_brand(brand_id), at_least, "brand")
    return tenant_id, await knowledge.brand(tenant_id, brand_id)


def _accepted(taken: Taken) -> KnowledgeAccepted:
    return KnowledgeAccepted(source_id=taken.source.id, job_id=taken.job.id, status=taken.source.status)
