"""Conditions: a tree of all, any and not over typed comparisons; each says in words what it found."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Discriminator, Field, StringConstraints, Tag

from chatbot.automation.rules.facts import FIELDS, Facts, Kind
from chatbot.core.schemas import Like, RequestBody
from chatbot.knowledge.analysis.folding import fold, fold_accents

MAX_DEPTH = 6
MAX_LEAVES = 50

Words = Annotated[str, StringConstraints(min_length=1, max_length=500)]
WordsList = Annotated[tuple[Words, ...], Field(min_length=1, max_length=50)]
Name = Annotated[str, Like(r"^[a-z][a-z0-9_]{0,59}$", "1 to 60 of a-z, 0-9 and _, a letter first")]
TextOperator = Literal["contains", "not_contains", "is", "is_not", "begins_with", "has_words"]


class Part(RequestBody):
    """Base of a rule's parts: unknown fields are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, frozen=True)


class _Compared(Part):
    """Base of comparisons of a field: the field must be of the kind that the comparison is for."""

    field: str


class TextIs(_Compared):
    """Text compared with any of some words, however it is spelt: case, accents, Persian and Arabic letters are folded.

    `has_words` asks for whole words, in any order.
    """

    op: TextOperator
    value: Words | WordsList


class ChoiceIs(_Compared):
    """One of a closed set of values."""

    op: Literal["is", "is_not"]
    value: Words | WordsList


class TagsHave(_Compared):
    """A set of tags."""

    op: Literal["has_any", "has_all", "has_none"]
    value: Words | WordsList


class NumberIs(_Compared):
    """A number compared."""

    op: Literal["is", "is_not", "less_than", "more_than"]
    value: float


class FlagIs(_Compared):
    """Yes or no."""

    op: Literal["is"]
    value: bool


class VariableIs(Part):
    """A variable that a rule has set in the conversation, compared as text."""

    variable: Name
    op: TextOperator
    value: Words | WordsList


class EventHas(Part):
    """A value of the event's payload, compared as text."""

    event: Annotated[str, Like(r"^[a-z][a-z0-9_]{0,59}$", "1 to 60 of a-z, 0-9 and _, a letter first")]
    op: TextOperator
    value: Words | WordsList


class All(Part):
    """Every one holds; of none, too."""

    all: Annotated[tuple["Condition", ...], Field(max_length=MAX_LEAVES)]


class AnyOf(Part):
    """At least one holds."""

    any: Annotated[tuple["Condition", ...], Field(min_length=1, max_length=MAX_LEAVES)]


class Not(Part):
    """It does not hold."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    negated: Annotated["Condition", Field(alias="not")]


_GROUPS: dict[str, type[Part]] = {"all": All, "any": AnyOf, "not": Not, "variable": VariableIs, "event": EventHas}
_LEAVES: dict[Kind, type[_Compared]] = {
    "text": TextIs, "choice": ChoiceIs, "tags": TagsHave, "number": NumberIs, "flag": FlagIs,
}  # fmt: skip
_KINDS: dict[type[Part], str] = {
    **{group: name for name, group in _GROUPS.items()},
    **{leaf: k for k, leaf in _LEAVES.items()},
}


def _shape(given: Any) -> str | None:
    """Which condition a value means, by the key that names it; None: none that we know."""
    if isinstance(given, Part):
        return _KINDS[type(given)]
    if not isinstance(given, dict):
        return None
    named = next((name for name in _GROUPS if name in given), None)
    return named or FIELDS.get(str(given.get("field")))


Condition = Annotated[
    Annotated[All, Tag("all")]
    | Annotated[AnyOf, Tag("any")]
    | Annotated[Not, Tag("not")]
    | Annotated[VariableIs, Tag("variable")]
    | Annotated[EventHas, Tag("event")]
    | Annotated[TextIs, Tag("text")]
    | Annotated[ChoiceIs, Tag("choice")]
    | Annotated[TagsHave, Tag("tags")]
    | Annotated[NumberIs, Tag("number")]
    | Annotated[FlagIs, Tag("flag")],
    Discriminator(
        _shape,
        custom_error_type="unknown_condition",
        custom_error_message=f"must be all, any, not, variable, event or a field: {', '.join(FIELDS)}",
    ),
]

for _model in (All, AnyOf, Not):
    _model.model_rebuild()


def _small(condition: Any) -> Any:
    if _depth(condition) > MAX_DEPTH:
        raise ValueError(f"is nested deeper than {MAX_DEPTH}")
    if sum(1 for _ in _leaves(condition)) > MAX_LEAVES:
        raise ValueError(f"at most {MAX_LEAVES} comparisons are accepted")
    return condition


Conditions = Annotated[Condition, AfterValidator(_small)]
"""When a rule applies; `All(all=())` is always."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What one comparison found; `was` is the value that it met."""

    about: str
    op: str
    wanted: Any
    was: Any
    holds: bool


def holds(condition: Condition, facts: Facts) -> bool:
    """Whether a condition holds."""
    match condition:
        case All(all=parts):
            return all(holds(part, facts) for part in parts)
        case AnyOf(any=parts):
            return any(holds(part, facts) for part in parts)
        case Not(negated=part):
            return not holds(part, facts)
        case _:
            return bool(_OPERATORS[condition.op](facts.value(_about(condition)), condition.value))


def comparisons(condition: Condition, facts: Facts) -> list[Compared]:
    """Return what each comparison of a condition found, in the order in which they stand."""
    return [_compared(leaf, facts) for leaf in _leaves(condition)]


def named_in(condition: Condition) -> list[str]:
    """Return what is compared: fields, `variable.<name>`, `event.<key>`."""
    return [_about(leaf) for leaf in _leaves(condition)]


def _compared(leaf: Any, facts: Facts) -> Compared:
    about = _about(leaf)
    was = facts.value(about)
    return Compared(about, leaf.op, leaf.value, was, _OPERATORS[leaf.op](was, leaf.value))


def _about(leaf: Any) -> str:
    match leaf:
        case VariableIs(variable=name):
            return f"variable.{name}"
        case EventHas(event=name):
            return f"event.{name}"
    return str(leaf.field)


def _leaves(condition: Any) -> Iterator[Any]:
    inner = _inner(condition)
    if inner is None:
        yield condition
        return
    for part in inner:
        yield from _leaves(part)


def _depth(condition: Any) -> int:
    return 1 + max((_depth(part) for part in _inner(condition) or ()), default=0)


def _inner(condition: Any) -> Iterable[Any] | None:
    match condition:
        case All(all=parts) | AnyOf(any=parts):
            return parts
        case Not(negated=part):
            return (part,)
    return None


def _each(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


_JOINER = "\N{ZERO WIDTH NON-JOINER}"


def _plain(text: str) -> str:
    return " ".join(fold_accents(fold(text)).split())


def _spellings(text: str) -> frozenset[str]:
    """The folded text, with what a ZWNJ parts written as two words and as one: people type it either way."""
    return frozenset((_plain(text), _plain(text.replace(_JOINER, ""))))


def _words(text: str) -> frozenset[str]:
    return frozenset("".join(letter if letter.isalnum() else " " for letter in text).split())


# What rules ask for is asked again with each event. What was said a hundred rules ask of, and then nobody: a whole
# mail, or the words of a visitor who has been erased since, are not to stay in memory.
_wanted_spellings, _wanted_words = lru_cache(maxsize=4096)(_spellings), lru_cache(maxsize=4096)(_words)
_tag = lru_cache(maxsize=4096)(_plain)
_met_spellings, _met_words = lru_cache(maxsize=64)(_spellings), lru_cache(maxsize=64)(_words)


def _any_spelling(was: Any, value: Any, compared: Callable[[str, str], bool]) -> bool:
    texts = _met_spellings("" if was is None else str(was))
    wanted = (spelt for one in _each(value) for spelt in _wanted_spellings(str(one)))
    return any(compared(text, spelt) for spelt in wanted for text in texts)


def _contains(was: Any, value: Any) -> bool:
    return _any_spelling(was, value, lambda text, wanted: wanted in text)


def _begins(was: Any, value: Any) -> bool:
    return _any_spelling(was, value, str.startswith)


def _has_words(was: Any, value: Any) -> bool:
    return _any_spelling(was, value, lambda text, wanted: _met_words(text) >= _wanted_words(wanted))


def _is(was: Any, value: Any) -> bool:
    if isinstance(value, bool | float):
        return was is not None and was == value
    return _any_spelling(was, value, str.__eq__)


def _tags(was: Any) -> set[str]:
    return {_tag(tag) for tag in was or ()}


def _has_any(was: Any, value: Any) -> bool:
    return not _tags(was).isdisjoint(_tags(_each(value)))


def _has_all(was: Any, value: Any) -> bool:
    return _tags(was) >= _tags(_each(value))


_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "contains": _contains,
    "not_contains": lambda was, value: not _contains(was, value),
    "is": _is,
    "is_not": lambda was, value: not _is(was, value),
    "begins_with": _begins,
    "has_words": _has_words,
    "has_any": _has_any,
    "has_all": _has_all,
    "has_none": lambda was, value: not _has_any(was, value),
    "less_than": lambda was, value: was is not None and was < value,
    "more_than": lambda was, value: was is not None and was > value,
}
