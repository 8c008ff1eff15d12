"""A brand that has begun with one page: what it says is answered, what it does not say is refused."""

import pytest

from chatbot.apps.runtime import Runtime
from chatbot.dialogue.incoming import Incoming
from chatbot.dialogue.parts import Parts
from chatbot.dialogue.service import Dialogue
from tests.conftest import TenantRows
from tests.integration.dialogue.platform import DELIVERY, PRICES, REFUNDS, RETURNS, add_knowledge

ONE_PAGE = {
    "Refunds": ("en", REFUNDS),
    "Plans and prices": ("en", PRICES),
    "زمان ارسال سفارش": ("fa", DELIVERY),
    "Devoluciones": ("es", RETURNS),
}


async def ask(runtime: Runtime, tenant: TenantRows, text: str) -> dict[str, object]:
    dialogue = Dialogue(Parts(runtime.database, runtime.bus, runtime.retriever, runtime.models, runtime.settings))
    reply = await dialogue.ask(Incoming(tenant_id=tenant.id, text=text, owner="t", session_key=text))
    return (await reply.wait()).data


@pytest.mark.parametrize(
    ("title", "question", "answered"),
    [
        ("Refunds", "How do I get a refund?", True),
        ("Refunds", "Are gift cards refunded?", True),
        ("Refunds", "How long does a refund take to reach my card?", True),
        ("Refunds", "What is the capital of Mongolia?", False),
        ("Refunds", "How do I change my password?", False),
        ("Plans and prices", "How much is the Pro plan?", True),
        ("Plans and prices", "Do you ship to Canada?", False),
        ("زمان ارسال سفارش", "ارسال به شهرستان چند روز طول می‌کشد؟", True),
        ("زمان ارسال سفارش", "چطور رمز عبورم را عوض کنم؟", False),
        ("Devoluciones", "¿En qué plazo puedo devolver el producto?", True),
        ("Devoluciones", "¿Cuál es la capital de Francia?", False),
    ],
)
async def test_one_page_answers_what_it_says(
    runtime: Runtime, tenant: TenantRows, title: str, question: str, answered: bool
) -> None:
    language, text = ONE_PAGE[title]
    await add_knowledge(runtime.database, tenant, [(language, title, text)])
    said = await ask(runtime, tenant, question)
    assert (said["mode"] == "extractive") is answered, said["answer"]
