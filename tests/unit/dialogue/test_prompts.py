"""Prompts against fixed cases: each is rendered and compared word by word, and judged by what every prompt must hold;
answers that models gave to it are judged by what a visitor is shown.

`RENDER_PROMPTS=1` writes what is rendered into the cases, to be read in the diff.
"""

import json
import os
import re
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from chatbot.dialogue.evidence import Passage
from chatbot.dialogue.history import Said
from chatbot.dialogue.language import NAMES
from chatbot.dialogue.live import LiveReply
from chatbot.dialogue.outlet import Outlet
from chatbot.dialogue.parts import Found
from chatbot.dialogue.prompts.answer import NO_ANSWER, answer_prompt, condense_prompt
from chatbot.dialogue.support import refuses
from chatbot.llm.schemas import ChatMessage

CASES = Path(__file__).with_name("prompt_cases")
NAMES_OF_CASES = sorted(path.stem for path in CASES.glob("*.json"))


def case_of(name: str) -> dict[str, Any]:
    case: dict[str, Any] = json.loads((CASES / f"{name}.json").read_text())
    return case


def passages_of(case: dict[str, Any]) -> tuple[Passage, ...]:
    return tuple(
        Passage(
            id=UUID(int=number), source_id=UUID(int=number), external_id=None, title=given["title"], url=None,
            text=given["text"], heading_path=tuple(given.get("headings", ())), language=case["language"], score=0.9,
        )
        for number, given in enumerate(case["passages"], 1)
    )  # fmt: skip


def prompt_of(case: dict[str, Any]) -> tuple[ChatMessage, ...]:
    history = [Said(one["role"], one["text"]) for one in case["history"]]
    if case["purpose"] == "condense":
        return condense_prompt(history, case["question"])
    return answer_prompt(case["persona"], case["language"], passages_of(case), history, case["question"])


def mark_of(prompt: tuple[ChatMessage, ...]) -> str:
    """The mark that the rules name; a prompt without passages has none."""
    found = re.search(r"lines marked (==[0-9a-f]{8}==)", prompt[0].content)
    return found[1] if found else "no mark"


def rendered(prompt: tuple[ChatMessage, ...]) -> list[dict[str, Any]]:
    """Say a prompt as a case does: a line of text each, the mark by its name."""
    mark = mark_of(prompt)
    return [{"role": one.role, "text": one.content.replace(mark, "==MARK==").split("\n")} for one in prompt]


@pytest.mark.parametrize("name", NAMES_OF_CASES)
def test_rendered_as_it_was_read(name: str) -> None:
    case = case_of(name)
    prompt = rendered(prompt_of(case))
    if "RENDER_PROMPTS" in os.environ:
        case["prompt"] = prompt
        (CASES / f"{name}.json").write_text(json.dumps(case, ensure_ascii=False, indent=1) + "\n")
    assert prompt == case.get("prompt")


@pytest.mark.parametrize("name", [name for name in NAMES_OF_CASES if case_of(name)["purpose"] == "answer"])
def test_holds_what_every_prompt_of_an_answer_must(name: str) -> None:
    case = case_of(name)
    prompt = prompt_of(case)
    system, *talk = prompt
    rules = system.content.split("Passages:", 1)[0]
    assert system.role == "system"
    assert case["persona"] in rules
    assert f"Write in {NAMES.get(case['language'], case['language'])}." in rules
    assert NO_ANSWER in rules
    mark = mark_of(prompt)
    assert mark != mark_of(prompt_of(case)), "a mark is made anew for each prompt"
    within = system.content.split("Passages:", 1)[1].split(f"\n{mark}")[1::2]
    assert len(within) == len(case["passages"])
    for given, text in zip(case["passages"], within, strict=True):
        assert given["text"] in text
        assert given["title"] in text
        assert system.content.count(given["text"]) == 1
    assert [one.role for one in talk if one.role == "system"] == []
    assert (talk[-1].role, talk[-1].content) == ("user", case["question"])
    assert case["question"] not in system.content


@pytest.mark.parametrize("name", [name for name in NAMES_OF_CASES if case_of(name)["purpose"] == "condense"])
def test_a_question_is_condensed_from_data_alone(name: str) -> None:
    case = case_of(name)
    system, user = prompt_of(case)
    assert (system.role, user.role) == ("system", "user")
    for said in case["history"]:
        assert said["text"] not in system.content
    assert user.content.endswith(f"Visitor: {case['question']}")


ANSWERS = [
    pytest.param(name, answer, id=f"{name}-{number}")
    for name in NAMES_OF_CASES
    for number, answer in enumerate(case_of(name)["answers"], 1)
]


@pytest.mark.parametrize(("name", "answer"), ANSWERS)
def test_what_models_answered_is_shown_as_judged(name: str, answer: dict[str, Any]) -> None:
    live = LiveReply(UUID(int=1), UUID(int=2))
    outlet = Outlet(Found("", passages_of(case_of(name))), live)
    for piece in re.findall(r"\S+\s*", answer["model"]):
        outlet.feed(piece)
    outlet.finish()
    assert live.text == answer["shown"]
    assert [number for number, _ in outlet.cited] == answer["cited"]
    assert refuses(live.text) is answer["refuses"]
