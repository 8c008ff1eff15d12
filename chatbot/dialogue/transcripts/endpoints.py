"""Transcripts: a visitor's own, an agent's, and those that operators ask for by session."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from chatbot.core.csv_cells import MEDIA_TYPE, csv_lines
from chatbot.db.sessions import Database
from chatbot.dialogue.callers import only_owner
from chatbot.dialogue.ownership import Owner
from chatbot.dialogue.transcripts import repository, service
from chatbot.dialogue.transcripts.guard import LetterLimits
from chatbot.dialogue.transcripts.rendering import CSV_HEADER, as_rows, as_text
from chatbot.dialogue.transcripts.schemas import Accepted, MailTranscript, SessionTranscript, Transcript
from chatbot.dialogue.transcripts.service import Told
from chatbot.identity.dependencies import Caller, ChatCaller, Db, LogReader, TheMail
from chatbot.identity.subject import Role, Subject

router = APIRouter(tags=["transcripts"])

TextFormat = Annotated[Literal["json", "txt"], Query()]
AnyFormat = Annotated[Literal["json", "txt", "csv"], Query()]
SessionName = Annotated[str, Path(min_length=1, max_length=200)]
_TEXT: dict[str, Any] = {"schema": {"type": "string"}}
_JSON_OR_TEXT: dict[int | str, dict[str, Any]] = {200: {"model": Transcript, "content": {"text/plain": _TEXT}}}
_ANY: dict[int | str, dict[str, Any]] = {
    200: {"model": Transcript, "content": {"text/plain": _TEXT, "text/csv": _TEXT}}
}


async def _letter_limits(request: Request) -> LetterLimits:
    limits: LetterLimits = request.app.state.letter_limits
    return limits


Letters = Annotated[LetterLimits, Depends(_letter_limits)]


@router.get("/v1/conversations/{conversation_id}/transcript", responses=_JSON_OR_TEXT)
async def own_transcript(
    conversation_id: UUID,
    subject: ChatCaller,
    db: Db,
    format: TextFormat = "json",  # noqa: A002
) -> Response:
    """A conversation as a whole, as JSON or as text in the visitor's language."""
    assert subject.tenant_id
    return _answer(await _read(db, subject.tenant_id, conversation_id, only_owner(subject)), format)


@router.post("/v1/conversations/{conversation_id}/transcript", status_code=202)
async def mail_transcript(
    conversation_id: UUID,
    body: MailTranscript,
    subject: ChatCaller,
    db: Db,
    mail: TheMail,
    limits: Letters,
    request: Request,
) -> Accepted:
    """Have a conversation mailed from the brand's address; 409 `mail_not_set_up` when it has none."""
    assert subject.tenant_id
    client = request.client.host if request.client and subject.role is Role.VISITOR else None
    async with db.tenant(subject.tenant_id) as session:
        told = await service.read(session, conversation_id, only_owner(subject))
        await service.require_mail(session, mail, told)
        await limits.take(subject.tenant_id, body.email, subject.name, client)
        await service.mail(session, mail, told, body.email)
    return Accepted()


@router.get("/admin/conversations/{conversation_id}/transcript", responses=_ANY)
async def agents_transcript(
    conversation_id: UUID,
    caller: Caller,
    db: Db,
    format: AnyFormat = "json",  # noqa: A002
) -> Response:
    """A conversation as a whole, as JSON, text or CSV."""
    tenant_id = await _reach(db, caller, conversation_id)
    return _answer(await _read(db, tenant_id, conversation_id, None), format)


@router.get("/api/transcript-json/{sessionId:path}")
async def session_transcript(sessionId: SessionName, reader: LogReader, db: Db) -> SessionTranscript:  # noqa: N803
    """A conversation by its session's name, or its id; with `LOG_TOKEN`, of `X-Tenant-Id` or the demo tenant."""
    async with db.tenant_reader(reader.reach(reader.tenant_id, Role.AGENT)) as session:
        return await service.read_session(session, sessionId)


async def _read(db: Database, tenant_id: UUID, conversation_id: UUID, owner: Owner | None) -> Told:
    async with db.tenant_reader(tenant_id) as session:
        return await service.read(session, conversation_id, owner)


async def _reach(db: Database, caller: Subject, conversation_id: UUID) -> UUID:
    async with db.platform() as session:
        tenant_id = await repository.tenant_of(session, conversation_id)
    return caller.reach(tenant_id, Role.AGENT, "conversation")


def _answer(told: Told, wanted: str) -> Response:
    transcript = told.transcript
    if wanted == "json":
        return JSONResponse(transcript.model_dump(mode="json"))
    named = {"Content-Disposition": f'attachment; filename="conversation-{transcript.conversation_id}.{wanted}"'}
    if wanted == "txt":
        return Response(as_text(transcript, told.zone), headers=named, media_type="text/plain; charset=utf-8")
    lines: Iterable[str] = csv_lines(CSV_HEADER, as_rows(transcript.messages))
    return StreamingResponse(lines, headers=named, media_type=MEDIA_TYPE)
