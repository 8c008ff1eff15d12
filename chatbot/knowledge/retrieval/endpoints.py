"""The retrieval diagnostics of operators: what a question finds, stage by stage."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import HTTPConnection

from chatbot.core.errors import NotFound
from chatbot.identity.dependencies import Caller, Db
from chatbot.identity.policies.service import current_policy, current_retrieval_config
from chatbot.identity.subject import Role
from chatbot.knowledge.repository import brand_of
from chatbot.knowledge.retrieval.compose import open_retriever
from chatbot.knowledge.retrieval.config import overridden
from chatbot.knowledge.retrieval.schemas import RetrievalQuery, RetrievalReport
from chatbot.knowledge.retrieval.service import Retriever
from chatbot.llm.budgets import budget_of
from chatbot.llm.usage import booked, open_ledger

router = APIRouter(tags=["diagnostics"])


async def retriever_of(connection: HTTPConnection) -> Retriever:
    """Return the process's retriever (`app.state.retriever`); made from the settings when nobody put one there."""
    state = connection.app.state
    known: Retriever | None = getattr(state, "retriever", None)
    if known is None:
        known = state.retriever = open_retriever(state.settings)
    return known


SharedRetriever = Annotated[Retriever, Depends(retriever_of)]


@router.post("/admin/diagnostics/retrieval")
async def diagnose_retrieval(
    body: RetrievalQuery, caller: Caller, database: Db, retriever: SharedRetriever
) -> RetrievalReport:
    """Search a brand's knowledge as the tenant does, or with other settings, and report every stage.

    The question's vector is on the tenant's account; once the budget is spent, the search is by words alone.
    """
    tenant_id = caller.reach(body.tenant_id, Role.TENANT_ADMIN)
    async with database.tenant_reader(tenant_id) as session:
        brand_id = await brand_of(session, body.brand_id)
        if brand_id is None:
            raise NotFound("no such brand")
        ledger = await open_ledger(session, budget_of((await current_policy(session)).budgets))
    async with booked(database, ledger):
        vectors = await retriever.embed_query(body.query)
    async with database.tenant_reader(tenant_id) as session:
        config = overridden(await current_retrieval_config(session), body.config)
        found = await retriever.retrieve(
            session,
            tenant_id=tenant_id,
            brand_id=brand_id,
            query=body.query,
            vectors=vectors,
            config=config,
            limit=body.limit,
            for_staff=True,
        )
    return RetrievalReport.model_validate(found)
