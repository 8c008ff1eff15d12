"""Files that requesters sent by mail, to be stored and never shown."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path
from fastapi.responses import Response

from chatbot.core.downloads import download
from chatbot.core.errors import NotFound
from chatbot.helpdesk.tickets import repository
from chatbot.helpdesk.tickets.dependencies import reach
from chatbot.identity.dependencies import Blobs, Db, Operator
from chatbot.identity.download_places import place_of_operator
from chatbot.identity.subject import Role

router = APIRouter(tags=["tickets"])

Number = Annotated[int, Path(ge=1, le=100, description="The place of the file in the comment's list, from 1.")]
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
}


@router.get(
    "/api/tickets/{ticket_id}/comments/{comment_id}/files/{number}",
    responses=_FILE,
    response_class=Response,
    dependencies=[Depends(place_of_operator)],
)
async def get_file(
    ticket_id: UUID, comment_id: UUID, number: Number, caller: Operator, db: Db, blobs: Blobs
) -> Response:
    """A file that came with a comment."""
    async with db.tenant_reader(await reach(db, caller, ticket_id, Role.AGENT)) as session:
        comment = await repository.get_comment(session, comment_id)
    if comment is None or comment.ticket_id != ticket_id or number > len(comment.files):
        raise NotFound("no such file")
    file = comment.files[number - 1]
    return download(await blobs.open(file["blob_key"]), file["name"])
