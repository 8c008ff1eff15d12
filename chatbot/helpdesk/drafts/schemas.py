"""Bodies of drafts."""

from chatbot.core.schemas import ResponseBody
from chatbot.dialogue.schemas import Citation


class DraftView(ResponseBody):
    """A text for an agent to send or to change; `mode` is model, extractive or no_answer (then there is no text)."""

    text: str
    citations: list[Citation]
    mode: str
