"""Files in the web chat: sent with a message, and given back to whoever may read it."""

from typing import Annotated, Any, Literal
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from starlette.requests import HTTPConnection

from chatbot.channels.files.schemas import FileLabels, NoLabels
from chatbot.channels.files.service import MessageFiles
from chatbot.core.blobs import OpenFile
from chatbot.core.downloads import streamed
from chatbot.dialogue import files_repository
from chatbot.dialogue.callers import incoming_of
from chatbot.dialogue.files_repository import FileRow
from chatbot.dialogue.guard import ChatLimits
from chatbot.dialogue.schemas import AttachmentView, StoredMessage
from chatbot.dialogue.transcripts.repository import tenant_of as tenant_of_conversation
from chatbot.identity.dependencies import AppSettings, Caller, ChatCaller, Db
from chatbot.identity.download_places import place_of_caller, place_of_chat
from chatbot.identity.subject import Role
from chatbot.knowledge.bodies import uploaded

router = APIRouter(tags=["files"])

_FILE: dict[str, Any] = {"type": "string", "format": "binary"}
_LABELS: dict[str, Any] = {
    "client_message_id": {"type": "string", "minLength": 1, "maxLength": 200},
    "text": {"type": "string", "maxLength": 8000},
}
_CONTENT: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file, as a download.", "content": {"application/octet-stream": {"schema": _FILE}}}
}


def _form(required: list[str], **fields: dict[str, Any]) -> dict[str, Any]:
    schema = {"type": "object", "required": ["file", *required], "properties": {"file": _FILE, **fields}}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}


async def _files(connection: HTTPConnection) -> MessageFiles:
    files: MessageFiles = connection.app.state.message_files
    return files


async def _limits(connection: HTTPConnection) -> ChatLimits:
    limits: ChatLimits = connection.app.state.chat_limits
    return limits


Files = Annotated[MessageFiles, Depends(_files)]
Limits = Annotated[ChatLimits, Depends(_limits)]


@router.post(
    "/v1/conversations/{conversation_id}/attachments",
    status_code=201,
    response_model=StoredMessage,
    openapi_extra=_form(["client_message_id"], **_LABELS),
)
async def send_file(
    conversation_id: UUID | Literal["new"], request: Request, subject: ChatCaller, files: Files, limits: Limits
) -> Any:
    """Send a message with a file; in place of an id `new` begins a conversation. A repeat returns what is stored."""
    await limits.take_for(subject, request.client.host if request.client else None)
    rules = await files.rules(subject)
    async with uploaded(request, FileLabels, limit=rules.max_bytes) as (labels, content):
        incoming = incoming_of(
            subject, labels.text, conversation_id=None if conversation_id == "new" else conversation_id,
            brand_id=None, locale=None, client_message_id=labels.client_message_id,
        )  # fmt: skip
        return await files.say(incoming, content, rules.types)


@router.get(
    "/v1/attachments/{attachment_id}",
    response_class=Response,
    responses=_CONTENT,
    dependencies=[Depends(place_of_chat)],
)
async def read_file(attachment_id: UUID, subject: ChatCaller, files: Files) -> Response:
    """A file of a message in a conversation of one's own."""
    return _download(*await files.of_visitor(subject, attachment_id))


@router.post(
    "/admin/conversations/{conversation_id}/attachments",
    status_code=201,
    response_model=AttachmentView,
    openapi_extra=_form([]),
)
async def upload_file(
    conversation_id: UUID, request: Request, caller: Caller, db: Db, files: Files, settings: AppSettings
) -> Any:
    """Upload a file to send in a conversation: name its id in `attachment_ids` of the message."""
    async with db.platform() as session:
        tenant_id = await tenant_of_conversation(session, conversation_id)
    tenant_id = caller.reach(tenant_id, Role.AGENT, "conversation")
    async with uploaded(request, NoLabels, limit=settings.max_upload_bytes) as (_, content):
        file = await files.keep(tenant_id, conversation_id, content, caller.name)
    return AttachmentView(id=file.id, name=file.name, mime=file.mime, size=file.size, status="stored")


@router.get(
    "/admin/attachments/{attachment_id}",
    response_class=Response,
    responses=_CONTENT,
    dependencies=[Depends(place_of_caller)],
)
async def read_any_file(attachment_id: UUID, caller: Caller, db: Db, files: Files) -> Response:
    """A file of any conversation of the tenant."""
    async with db.platform() as session:
        tenant_id = await files_repository.tenant_of(session, attachment_id)
    tenant_id = caller.reach(tenant_id, Role.AGENT, "attachment")
    return _download(*await files.of_tenant(tenant_id, attachment_id))


def _download(file: FileRow, content: OpenFile) -> Response:
    """Give a file to be saved: no browser shows or runs what a visitor sent, also not where it is opened by itself."""
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name or 'file', safe='')}",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "private, no-store",
    }
    return streamed(content, headers, file.mime or "application/octet-stream")
