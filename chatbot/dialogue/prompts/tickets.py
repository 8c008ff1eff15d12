"""What visitors are told about tickets, by language."""

from typing import Literal

TicketPhrase = Literal["opened", "which_problem"]

_PHRASES: dict[str, dict[TicketPhrase, str]] = {
    "en": {
        "opened": "I have opened a ticket for you. Its number is {number}; a person will answer it.",
        "which_problem": "What is it about? Please write it in a sentence or two, then ask for the ticket again.",
    },
    "es": {
        "opened": "He abierto un ticket para ti. Su número es {number}; te responderá una persona.",
        "which_problem": "¿De qué se trata? Escríbelo en una o dos frases y pide de nuevo el ticket, por favor.",
    },
    "fa": {
        "opened": "برایتان تیکت ثبت کردم. شماره آن {number} است و یکی از همکارانم به آن پاسخ می‌دهد.",
        "which_problem": "موضوع چیست؟ لطفاً آن را در یکی دو جمله بنویسید و سپس دوباره تیکت بخواهید.",
    },
    "ar": {
        "opened": "فتحت لك تذكرة رقمها {number}، وسيجيب عنها أحد زملائي.",
        "which_problem": "ما الموضوع؟ اكتبه من فضلك في جملة أو جملتين ثم اطلب التذكرة من جديد.",
    },
    "fr": {
        "opened": "J'ai ouvert un ticket pour vous. Son numéro est {number} ; une personne y répondra.",
        "which_problem": "De quoi s'agit-il ? Écrivez-le en une ou deux phrases, puis redemandez le ticket.",
    },
    "de": {
        "opened": "Ich habe ein Ticket für Sie eröffnet. Es hat die Nummer {number}; ein Mensch wird es beantworten.",
        "which_problem": "Worum geht es? Schreiben Sie es bitte in ein, zwei Sätzen und bitten Sie dann noch einmal.",
    },
    "pt": {
        "opened": "Abri um ticket para você. O número é {number}; uma pessoa vai respondê-lo.",
        "which_problem": "Do que se trata? Escreva em uma ou duas frases e peça o ticket de novo, por favor.",
    },
    "it": {
        "opened": "Ho aperto un ticket per lei. Il numero è {number}; le risponderà una persona.",
        "which_problem": "Di che cosa si tratta? Lo scriva in una o due frasi e chieda di nuovo il ticket, per favore.",
    },
    "tr": {
        "opened": "Sizin için bir talep açtım. Numarası {number}; bir kişi yanıtlayacak.",
        "which_problem": "Konu nedir? Lütfen bir iki cümleyle yazın, sonra talebi yeniden isteyin.",
    },
    "ru": {
        "opened": "Я создал для вас обращение. Его номер {number}; на него ответит сотрудник.",
        "which_problem": "О чём речь? Напишите, пожалуйста, одним-двумя предложениями и попросите обращение ещё раз.",
    },
}  # fmt: skip


def ticket_phrase(name: TicketPhrase, language: str) -> str:
    """What is said in a language, else in English."""
    return _PHRASES.get(language, _PHRASES["en"])[name]
