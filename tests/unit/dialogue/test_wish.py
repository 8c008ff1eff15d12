"""Whole messages that ask for a person, and questions that only speak of one."""

import pytest

from chatbot.dialogue.handoff.wish import wants_person

ASKS = [
    "talk to a person",
    "I want to talk to a human please",
    "Can I speak with an agent?",
    "Could you connect me to a real person?",
    "I would like to speak to customer service",
    "Please transfer me to a representative now",
    "agent",
    "Human please!",
    "live agent",
    "let me talk to somebody",
    "I need to speak to a manager",
    "می‌خواهم با یک نفر صحبت کنم",
    "ميخوام با يه نفر صحبت كنم",
    "سلام، می‌خوام با پشتیبانی صحبت کنم",
    "لطفاً من را به اپراتور وصل کنید",
    "میشه با یه آدم واقعی حرف بزنم؟",
    "با کارشناس صحبت کنم",
    "اپراتور",
    "quiero hablar con una persona",
    "¿Puedo hablar con un agente humano, por favor?",
    "Necesito hablar con alguien",
    "páseme con un asesor",
    "Je voudrais parler à un conseiller",
    "Ich möchte mit einem Mitarbeiter sprechen",
    "Quero falar com um atendente",
]

DOES_NOT = [
    "How do I become an agent?",
    "Can I talk to my bank about the refund?",
    "Which person do I send the invoice to?",
    "How much does an agent seat cost?",
    "Is the support team available on Sunday?",
    "I talked to a person yesterday and nothing happened with my order",
    "با یک نفر دیگر می‌توانم حساب مشترک داشته باشم؟",
    "هزینه صحبت با کارشناس چقدر است؟",
    "شماره پشتیبانی چند است؟",
    "¿Cuánto cuesta una persona adicional?",
    "¿Puede una persona usar dos cuentas?",
    "yes",
    "بله",
    "",
    "?",
]


@pytest.mark.parametrize("text", ASKS)
def test_asks_for_a_person(text: str) -> None:
    assert wants_person(text)


@pytest.mark.parametrize("text", DOES_NOT)
def test_asks_for_something_else(text: str) -> None:
    assert not wants_person(text)


@pytest.mark.parametrize("text", ["yes", "Yes, please!", "بله لطفاً", "آره", "Sí, por favor", "ok", "oui", "a person"])
def test_a_yes_counts_after_an_offer(text: str) -> None:
    assert wants_person(text, offered=True)


@pytest.mark.parametrize("text", ["no", "yes, and what does it cost?", "نه ممنون", "open a ticket"])
def test_anything_else_does_not(text: str) -> None:
    assert not wants_person(text, offered=True)


def test_a_long_message_costs_nothing() -> None:
    assert not wants_person("please " * 20_000)
    assert not wants_person(("please " * 17) + "x")
