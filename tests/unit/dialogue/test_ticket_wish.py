"""Which messages ask the bot for a ticket."""

import pytest

from chatbot.dialogue.handoff.wish import wants_person
from chatbot.dialogue.tickets import wants_ticket


@pytest.mark.parametrize(
    "text",
    [
        "Open a ticket", "please open a ticket for me", "Yes, create a new support ticket please!",
        "can you file a ticket?",
        "I'd like to open a ticket", "submit a ticket about this", "Abrir un ticket", "Sí, abra un tique por favor",
        "quiero crear un ticket", "تیکت ثبت کن", "لطفاً برایم یک تیکت ثبت کنید", "تیکت جدید باز کنید لطفا",
        "می‌خواهم تیکت ثبت کنم", "بله تیکت ثبت شود",
    ],
)  # fmt: skip
def test_these_ask_for_a_ticket(text: str) -> None:
    assert wants_ticket(text)
    assert not wants_person(text)


@pytest.mark.parametrize("text", ["ticket", "A ticket, please", "un ticket", "تیکت", "یک تیکت لطفا", "yes, ticket"])
def test_its_name_does_where_one_was_offered(text: str) -> None:
    assert wants_ticket(text, offered=True)
    assert not wants_ticket(text)


@pytest.mark.parametrize(
    "text",
    [
        "How much is a ticket to Madrid?", "I lost my ticket", "When is my ticket answered?", "open the door", "yes",
        "How do I open a ticket office?", "قیمت تیکت چند است؟", "وضعیت تیکت من چیست", "¿Cuánto cuesta el ticket?",
        "open a ticket " + "please " * 30,
    ],
)  # fmt: skip
def test_these_are_questions(text: str) -> None:
    assert not wants_ticket(text, offered=True)
