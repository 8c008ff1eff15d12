"""Lets a model's answer out as it comes, checked; at its end it gets the marks that its writer forgot."""

from chatbot.dialogue.check import AnswerCheck, links_of
from chatbot.dialogue.evidence import Passage
from chatbot.dialogue.live import LiveReply
from chatbot.dialogue.parts import Found
from chatbot.dialogue.support import supporting


class Outlet:
    """The way of one answer's text into the live reply.

    What was shown cannot be taken back, and nobody waits for an end to see a beginning: what an answer lacks is
    added behind it.
    """

    def __init__(self, found: Found, live: LiveReply) -> None:
        self.check = AnswerCheck(len(found.passages), links_of(found.passages))
        self._passages = found.passages
        self._live = live

    @property
    def cited(self) -> list[tuple[int, Passage]]:
        """The passages that the answer names, by their number, in the order of their first mark."""
        return [(number, self._passages[number - 1]) for number in self.check.cited]

    def feed(self, piece: str) -> None:
        """Take a piece of the model's text."""
        self._show(self.check.feed(piece))

    def finish(self) -> None:
        """Take the end of the text; an answer that names no passage gets the marks of those it rests on, if any."""
        self._show(self.check.finish())
        if not self.check.cited and (numbers := supporting(self._live.text, self._passages)):
            self.check.cited += numbers
            marks = "".join(f"[{number}]" for number in numbers)
            self._show(f"\n{marks}" if self._live.text.endswith("```") else f" {marks}")

    def _show(self, text: str) -> None:
        self._live.write(text)
        for number, passage in self.cited[len(self._live.citations) :]:
            self._live.cite(passage.citation(number))
