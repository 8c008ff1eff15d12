"""Conditions: every operator, text however it is spelt, what is refused, and what is told of each comparison."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from chatbot.automation.rules.conditions import Conditions, comparisons, holds
from chatbot.automation.rules.facts import FIELDS, Facts

_CONDITION: TypeAdapter[Any] = TypeAdapter(Conditions)


def _holds(condition: dict[str, Any], **fields: Any) -> bool:
    known = {name.replace("__", "."): value for name, value in fields.items()}
    return holds(_CONDITION.validate_python(condition), Facts(known, {"topic": "refund"}, {"mode": "no_answer"}))


@pytest.mark.parametrize(
    ("op", "value", "text", "expected"),
    [
        ("contains", "کتاب‌ها", "این كتابها کجاست", True),
        ("contains", "برگشت", "شرایط برگشتِ کالا", True),
        ("contains", ["money", "cash"], "Where is my CASH?", True),
        ("not_contains", "refund", "Where is it?", True),
        ("is", "cafe", "Café", True),
        ("is_not", "no", "yes", True),
        ("begins_with", "hello", "Hello there", True),
        ("begins_with", "there", "Hello there", False),
        ("has_words", "order late", "My order is very late!", True),
        ("has_words", "late", "chocolate", False),
        ("contains", "late", "chocolate", True),
        ("contains", "x", None, False),
    ],
)
def test_text(op: str, value: Any, text: str | None, expected: bool) -> None:
    assert _holds({"field": "message.text", "op": op, "value": value}, message__text=text) is expected


@pytest.mark.parametrize(
    ("condition", "fields", "expected"),
    [
        ({"field": "conversation.tags", "op": "has_any", "value": ["vip", "x"]}, {"conversation__tags": ["VIP"]}, True),
        ({"field": "conversation.tags", "op": "has_all", "value": ["a", "b"]}, {"conversation__tags": ["a"]}, False),
        ({"field": "conversation.tags", "op": "has_none", "value": "a"}, {}, True),
        ({"field": "conversation.messages", "op": "more_than", "value": 3}, {"conversation__messages": 4}, True),
        ({"field": "conversation.messages", "op": "more_than", "value": 3}, {}, False),
        ({"field": "conversation.messages", "op": "is", "value": 3}, {"conversation__messages": 3}, True),
        ({"field": "hours.open", "op": "is", "value": False}, {"hours__open": False}, True),
        ({"field": "hours.open", "op": "is", "value": False}, {}, False),
        ({"field": "channel.type", "op": "is", "value": ["web", "sms"]}, {"channel__type": "sms"}, True),
        ({"variable": "topic", "op": "is", "value": "Refund"}, {}, True),
        ({"event": "mode", "op": "is", "value": "no_answer"}, {}, True),
        ({"all": []}, {}, True),
        ({"not": {"all": []}}, {}, False),
    ],
)
def test_other_kinds(condition: dict[str, Any], fields: dict[str, Any], expected: bool) -> None:
    assert _holds(condition, **fields) is expected


def test_each_comparison_says_what_it_met() -> None:
    condition = _CONDITION.validate_python(
        {"any": [{"field": "message.text", "op": "contains", "value": "a"},
                 {"not": {"field": "hours.open", "op": "is", "value": True}}]}
    )  # fmt: skip
    told = comparisons(condition, Facts({"message.text": "b", "hours.open": True}))
    assert [(one.about, one.was, one.holds) for one in told] == [
        ("message.text", "b", False),
        ("hours.open", True, True),
    ]


def _nested(depth: int) -> dict[str, Any]:
    leaf: dict[str, Any] = {"field": "hours.open", "op": "is", "value": True}
    for _ in range(depth):
        leaf = {"not": leaf}
    return leaf


@pytest.mark.parametrize(
    "condition",
    [
        {"field": "message.text", "op": "more_than", "value": 1},
        {"field": "hours.open", "op": "is", "value": "perhaps"},
        {"field": "nothing", "op": "is", "value": "x"},
        {"any": []},
        {"field": "message.text", "op": "is", "value": "x", "extra": 1},
        {},
        "text",
        _nested(6),
    ],
)
def test_what_is_refused(condition: Any) -> None:
    with pytest.raises(ValidationError):
        _CONDITION.validate_python(condition)


_LEAF = st.builds(
    lambda field, value: {"field": field, "op": "is", "value": value},
    st.sampled_from([name for name, kind in FIELDS.items() if kind == "text"]),
    st.text(st.characters(categories=("L", "N")), min_size=1, max_size=8),
)
_TREE = st.recursive(
    _LEAF,
    lambda inner: st.one_of(
        st.builds(lambda parts: {"all": parts}, st.lists(inner, max_size=3)),
        st.builds(lambda parts: {"any": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda part: {"not": part}, inner),
    ),
    max_leaves=3,
)


@given(_TREE)
def test_a_condition_is_stored_and_read_as_it_was(tree: dict[str, Any]) -> None:
    condition = _CONDITION.validate_python(tree)
    stored = condition.model_dump(mode="json", by_alias=True)
    again = _CONDITION.validate_python(stored)
    assert again == condition
    assert holds(again, Facts()) is holds(condition, Facts())
