"""A ticket that a visitor asks for in words, mostly because the bot has offered one."""

import re

from chatbot.core.localized import number
from chatbot.dialogue.handoff.wish import wants_person
from chatbot.dialogue.parts import Draft, Parts, Plan, Turn
from chatbot.dialogue.prompts.tickets import ticket_phrase
from chatbot.dialogue.smalltalk import plain_words, small_talk

_MAX_CHARS = 120
_MAX_MESSAGES = 3

# Whole messages only. What merely names a ticket counts where one was just offered: shops sell tickets too.
_OPEN_EN = (
    r"(?:(?:hi|hello|ok|okay|yes|no|then|so|please|pls) )*"
    r"(?:(?:i (?:would like|d like|want|need)|i'd like|(?:can|could|will|would) you|can i|let me|how do i)(?: to)? )?"
    r"(?:please )?(?:just )?(?:open|create|file|submit|raise|log|register|make)(?: me| us)?"
    r" (?:an? |the |my )?(?:new |support |help )*ticket"
    r"(?: (?:for (?:me|this|it|that|us)|about (?:this|it|that)|please|pls|now|then|thanks|thank you|instead))*"
)
_OPEN_ES = (
    r"(?:(?:hola|si|no|vale|bueno|entonces|por favor) )*"
    r"(?:(?:quiero|quisiera|necesito|puedes?|podria|podrias|puedo|me gustaria|como puedo) )?"
    r"(?:abrir|abre|abra|abrame|abreme|crear|crea|cree|creame|registrar|registra|registre|generar|levantar)"
    r" (?:un |el |mi )?(?:nuevo )?(?:ticket|tique|tiquete)"
    r"(?: (?:por favor|para (?:mi|esto)|sobre esto|de soporte|gracias))*"
)
_OPEN_FA = (
    r"(?:(?:سلام|لطفا|بله|نه|خب|باشه) )*(?:(?:می ?خواهم|می ?خوام|می ?شود|می ?شه) )?(?:برای من |برایم |برام )?"
    r"(?:یک |یه )?تیکت(?: (?:جدید|پشتیبانی))*(?: (?:را|رو|برایم|برام|برای من))*"
    r" (?:ثبت|باز|ایجاد)(?: ?(?:کن|کنید|کنین|کنم|ب?شود|بشه|نمایید|می ?کنید|می ?کنی))?(?: (?:لطفا|ممنون|مرسی))*"
)
_BARE = (
    r"(?:(?:yes|ok|please|si|por favor|بله|لطفا) )*(?:a |an |un |el |the |یک |یه )?(?:ticket|tique|tiquete|تیکت)"
    r"(?: (?:please|por favor|لطفا|می ?خواهم|می ?خوام))*"
)
_OPEN = re.compile("|".join(f"(?:{each})" for each in (_OPEN_EN, _OPEN_ES, _OPEN_FA)))
_OFFERED = re.compile(_BARE)


def wants_ticket(text: str, *, offered: bool = False) -> bool:
    """Whether a message asks for a ticket; its mere name does when one was just `offered`."""
    if len(text) > _MAX_CHARS:
        return False
    words = plain_words(text)
    return bool(_OPEN.fullmatch(words) or (offered and _OFFERED.fullmatch(words)))


async def open_ticket(parts: Parts, turn: Turn, plan: Plan) -> Draft:
    """Open a ticket about what the visitor said before and name its number; ask what it is about when that is nothing.

    It is opened before the reply is stored, which would otherwise not know the number.
    """
    assert parts.tickets
    problem = "\n".join(_told(turn)[-_MAX_MESSAGES:])
    if not problem:
        return Draft("no_answer", ticket_phrase("which_problem", plan.language))
    opened = await parts.tickets.open_for(turn, problem)
    said = ticket_phrase("opened", plan.language).format(number=number(opened, plan.language))
    return Draft("no_answer", said, notes={"ticket": opened})


def _told(turn: Turn) -> list[str]:
    """What the visitor said that is about something."""
    own = [said for said in turn.history if said.role == "visitor"]
    return [
        said.text
        for said in own
        if not (wants_ticket(said.text, offered=True) or wants_person(said.text, offered=True) or small_talk(said.text))
    ]
