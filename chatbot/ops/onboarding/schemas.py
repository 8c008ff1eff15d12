"""Bodies of the first steps."""

from typing import Literal

from chatbot.core.schemas import ResponseBody


class StepView(ResponseBody):
    """A first step: whether it is done, what to do or what was found, and the console's page for it."""

    id: Literal["knowledge", "persona", "channel", "widget", "first_answer"]
    done: bool
    words: str
    link: str


class OnboardingView(ResponseBody):
    """The steps in their order."""

    steps: list[StepView]
    done: bool
