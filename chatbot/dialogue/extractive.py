"""Answers without a model: the best passages' own sentences, few, in their order, each with its source."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from chatbot.dialogue.evidence import Passage
from chatbot.dialogue.injected import speaks_to_a_model
from chatbot.dialogue.prompts.phrases import phrase
from chatbot.dialogue.units import Unit, plain, read_units
from chatbot.knowledge.analysis.folding import fold
from chatbot.knowledge.analysis.words import Analysis, Word, analyse

MAX_CHARS = 600
MAX_STEPS_CHARS = 900
_MAX_PASSAGES = 4
_MAX_SENTENCES = 4
_NAMED = 0.5  # what a question word that only the headings hold adds when passages are told apart
_OWN = 2.0  # how much more a follow-up's own words weigh than those that the conversation adds
_SAME_WORDS = 0.6  # share of common words from which two statements speak of the same thing
_SOFT_MATCH = 0.6  # share of common 4-grams from which two words count as forms of one (Persian, typing errors)
_NUMBER = re.compile(r"\d|[\u06f0-\u06f9]")
_ASKS_NUMBER = re.compile(
    r"\bhow (?:many|much|long|old|often|far|big)\b|\bwhen\b|\bwhat (?:year|time|date|percent\w*)\b"
    r"|\bcuánt\w+|\bcuant\w+|\bcuándo\b|\ben qué (?:año|fecha)\b|\bqué (?:año|porcentaje)\b"
    r"|چند|چقدر|چه سالی|چه تاریخی|چه زمانی|کی\b|درصد",
    re.IGNORECASE,
)
_ASKS_STEPS = re.compile(
    r"\bhow (?:do|can|to|should|would|could|am|does)\b|\bsteps?\b|\bhelp\b|\bguide\b|\bset(?:ting)? ?up\b"
    r"|\b(?:can i|i can'?t|trying to|unable to|(?:need|want|like|way|where) to)\b"
    r"|\bcómo\b|\bpasos?\b|\bayuda\w*|\b(?:quiero|necesito|puedo|intento)\b"
    r"|چگونه|چطور|چه ?جوری|مراحل|راهنما|نحوه|می.?خواهم|میخوام",
    re.IGNORECASE,
)
_CONTENTS = re.compile(
    r"\bin this (?:article|guide|section)\b|\btable of contents\b|\ben este artículo\b|در این (?:مقاله|راهنما)", re.I
)
_LEAD_IN = (":", "：")
_SENTENCE_END = (".", "!", "?", "؟", "…", "。", ")", '"', "»", "”", *_LEAD_IN)


@dataclass(frozen=True, slots=True)
class Extract:
    """An extractive answer: its text with `[n]` marks, and the passages cited, in the order of their marks."""

    text: str
    cited: list[Passage]


@dataclass(slots=True)
class _Scored:
    """A unit of a passage with how well it answers; `named` is the share of the question that only headings hold."""

    unit: Unit
    covers: frozenset[int]
    own: float
    named: float
    score: float = 0.0


@dataclass(slots=True)
class _Candidate:
    passage: Passage
    units: list[_Scored]
    heading: frozenset[int]
    pair: bool = False
    chosen: list[int] = field(default_factory=list)

    @property
    def best(self) -> float:
        return max((unit.score for unit in self.units), default=0.0)

    @property
    def fit(self) -> float:
        """How well the passage answers, beside others: what stands under "On Android" does not say so again."""
        return max((unit.score + _NAMED * unit.named for unit in self.units), default=0.0)


def extract(
    question: str, language: str, passages: Sequence[Passage], *, own: str = "", max_chars: int = MAX_CHARS
) -> Extract:
    """Compose an answer of at most about `max_chars` from the passages, best first.

    Passages in the question's language go first when there are any. Where another source says the same with other
    figures, both are quoted. Returns an empty text when none has a sentence to quote.

    Args:
        own: what the visitor really said, where the question was completed from the conversation.
    """
    asked = analyse(question, language)
    candidates = _candidates(question, asked, _in_language(passages, language), analyse(own, language))
    if not candidates:
        return Extract("", [])
    first = max(candidates, key=lambda candidate: candidate.fit * _prior(candidate.passage, candidates))
    _choose(first, max_chars, steps=bool(_ASKS_STEPS.search(question)))
    if other := _contradiction(first, candidates):
        return _compose([first, other], f"{phrase('differs', language)}\n\n")
    second = _complement(first, candidates, max_chars)
    return _compose([first, second] if second else [first])


def _in_language(passages: Sequence[Passage], language: str) -> list[Passage]:
    same = [passage for passage in passages if passage.language == language]
    return (same or list(passages))[:_MAX_PASSAGES]


def _candidates(question: str, asked: Analysis, passages: Sequence[Passage], own: Analysis) -> list[_Candidate]:
    read = [(passage, *_quotable(passage)) for passage in passages]
    analysed = [
        (passage, units, pair, [analyse(unit.text, passage.language) for unit in units])
        for passage, units, pair in read
    ]
    weights = _weights(asked, [analysis for *_, each in analysed for analysis in each], own)
    number = bool(_ASKS_NUMBER.search(question))
    candidates = []
    for passage, units, pair, each in analysed:
        heading = _heading(passage, pair, asked)
        scored = _score(units, each, heading, asked, weights, number=number)
        candidates.append(_Candidate(passage, scored, heading, pair=bool(pair)))
    return [candidate for candidate in candidates if candidate.units]


def _quotable(passage: Passage) -> tuple[list[Unit], str]:
    """A passage's units and the question they answer, if the passage is a pair.

    Left out are its title, which pages repeat as their first line, and the question of a pair.
    """
    read = read_units(passage.text)
    whole_pair = passage.kind == "qa" and not passage.heading_path  # parts of a long one stand under their question
    if whole_pair and read and read[-1].block != read[0].block:
        # Looked at before the title is left out: that of a single pair is its question.
        question = " ".join(unit.text for unit in read if unit.block == read[0].block)
        return _harmless([unit for unit in read if unit.block != read[0].block]), question
    units = [unit for unit in _harmless(read) if unit.text != passage.title]
    if len(units) > 1 and (_is_question(units[0]) or _repeats_heading(units, passage)):
        asked = " ".join(unit.text for unit in units if unit.block == units[0].block)
        answer = [unit for unit in units if unit.block != units[0].block] or units[1:]
        return answer, asked if len(answer) < len(units) - 1 else units[0].text
    return units, ""


def _harmless(units: Sequence[Unit]) -> list[Unit]:
    """Units of blocks that give a language model no orders: those are no answer to anybody."""
    orders = {unit.block for unit in units if speaks_to_a_model(unit.text)}
    return [unit for unit in units if unit.block not in orders]


def _repeats_heading(units: Sequence[Unit], passage: Passage) -> bool:
    """Whether the first block is the passage's own heading, as in pairs that were read from a file of data."""
    first = " ".join(unit.text for unit in units if unit.block == units[0].block)
    return bool(passage.heading_path) and first == plain(passage.heading_path[-1])


def _prior(passage: Passage, candidates: Sequence[_Candidate]) -> float:
    top = max(candidate.passage.score for candidate in candidates)
    return 0.5 + 0.5 * (passage.score / top) if top > 0 else 1.0


def _weights(asked: Analysis, units: Sequence[Analysis], own: Analysis) -> list[float]:
    """Inverse document frequency of each question word over the units at hand; a follow-up's own words before all."""
    stems = [analysis.stems for analysis in units]
    total = len(units) + 1
    rarity = [math.log(1 + total / (1 + sum(word.stem in each for each in stems))) for word in asked.words]
    return [
        weight * (_OWN if word.stem in own.stems else 1.0) for word, weight in zip(asked.words, rarity, strict=True)
    ]


def _heading(passage: Passage, pair: str, asked: Analysis) -> frozenset[int]:
    heading = analyse(" ".join([passage.title, *passage.heading_path, pair]), passage.language)
    return frozenset(at for at, _ in _matches(asked, heading))


def _matches(asked: Analysis, text: Analysis) -> list[tuple[int, float]]:
    """Which question words stand in a text, exactly (1.0) or as another form (less)."""
    stems = {word.stem for word in text.words}
    found = []
    for at, word in enumerate(asked.words):
        if word.stem in stems:
            found.append((at, 1.0))
        elif len(word.grams) > 1:
            likeness = max((_likeness(word, other) for other in text.words), default=0.0)
            if likeness >= _SOFT_MATCH:
                found.append((at, 0.8 * likeness))
    return found


def _likeness(one: Word, other: Word) -> float:
    common = len(set(one.grams) & set(other.grams))
    return 2 * common / (len(one.grams) + len(other.grams)) if common else 0.0


def _score(
    units: Sequence[Unit],
    analyses: Sequence[Analysis],
    heading: frozenset[int],
    asked: Analysis,
    weights: Sequence[float],
    *,
    number: bool,
) -> list[_Scored]:
    total = sum(weights) or 1.0
    scored = []
    above = {unit.heading: _matches(asked, analyse(unit.heading, asked.language)) for unit in units if unit.heading}
    for unit, analysis in zip(units, analyses, strict=True):
        # Under a heading of its own a unit says what the heading names, though it does not repeat it.
        matches = dict([*above.get(unit.heading, []), *_matches(asked, analysis)])
        own = sum(weights[at] * how for at, how in matches.items()) / total
        named = sum(weights[at] for at in heading if at not in matches) / total
        own += 0.3 * named
        if number and own and _NUMBER.search(unit.text):
            own *= 1.2
        if analysis.length < 3 or _CONTENTS.search(unit.text):
            own *= 0.6
        scored.append(_Scored(unit, frozenset(matches), own, named))
    _smooth(scored)
    return scored


def _smooth(scored: list[_Scored]) -> None:
    """A sentence gains from its neighbours; a question or a lead-in (`…:`) hands its score to what follows."""
    for at, here in enumerate(scored):
        alone = here.unit.kind == "row"  # a row says nothing of the one above it
        before = scored[at - 1].own if at and not alone and _together(scored[at - 1], here) else 0.0
        after = scored[at + 1].own if at + 1 < len(scored) and not alone and _together(here, scored[at + 1]) else 0.0
        here.score = here.own + 0.2 * before + 0.1 * after + 0.02 / (at + 1)
    for at in range(len(scored) - 1):
        here = scored[at]
        if _is_question(here.unit):
            scored[at + 1].score = max(scored[at + 1].score, here.score)
            here.score *= 0.5


def _together(one: _Scored, other: _Scored) -> bool:
    return one.unit.heading == other.unit.heading


def _is_question(unit: Unit) -> bool:
    return unit.text.endswith(("?", "؟"))


def _choose(candidate: _Candidate, max_chars: int, *, steps: bool) -> None:
    """Take the best unit and grow the run around it while it is worth its room."""
    units = candidate.units
    if candidate.pair:
        candidate.chosen = _within(units, list(range(len(units))), max_chars)
        return
    best = max(range(len(units)), key=lambda at: units[at].score)
    low, high = _section(units, best)
    candidate.chosen = [low + at for at in _run(units[low:high], best - low, max_chars, steps=steps)]


def _section(units: Sequence[_Scored], best: int) -> tuple[int, int]:
    """Where the units begin and end that stand under the same heading as the best."""
    low, high = best, best + 1
    while low and _together(units[low - 1], units[best]):
        low -= 1
    while high < len(units) and _together(units[high], units[best]):
        high += 1
    return low, high


def _run(units: Sequence[_Scored], best: int, max_chars: int, *, steps: bool) -> list[int]:
    if steps and (run := _steps(units, best)):
        return _within(units, run, MAX_STEPS_CHARS)
    first = last = best
    room = max_chars - len(units[best].unit.text)
    floor = (0.75 if units[best].unit.kind == "row" else 0.3) * units[best].score
    while last - first < _MAX_SENTENCES - 1:
        options = [at for at in (last + 1, first - 1) if 0 <= at < len(units)]
        options = [at for at in options if len(units[at].unit.text) < room and units[at].score >= floor]
        if not options:
            break
        taken = max(options, key=lambda at: units[at].score + (0.05 if at > last else 0.0))
        first, last = min(first, taken), max(last, taken)
        room -= len(units[taken].unit.text) + 1
    return list(range(first, last + 1))


def _steps(units: Sequence[_Scored], best: int) -> list[int]:
    """The steps that the best unit belongs to or leads into, from their lead-in on; empty when there are none."""
    lead = _lead_in(units, best)
    if lead is None:
        return []
    if lead + 1 < len(units) and units[lead + 1].unit.kind == "item":
        return [lead, *_block(units, lead + 1)]
    end = next((at for at in range(lead + 1, len(units)) if _leads(units[at])), len(units))
    return list(range(lead, end)) if end - lead > 2 else []


def _lead_in(units: Sequence[_Scored], best: int) -> int | None:
    """The nearest unit at or before the best that announces steps (`To do this:`)."""
    for at in range(best, max(-1, best - 10), -1):
        if _leads(units[at]):
            return at
        if units[at].unit.kind == "item" and (at == 0 or units[at - 1].unit.kind != "item"):
            return at - 1 if at and _leads(units[at - 1]) else None
    following = best + 1
    return following if following < len(units) and _leads(units[following]) else None


def _leads(scored: _Scored) -> bool:
    return scored.unit.kind == "sentence" and scored.unit.text.endswith(_LEAD_IN)


def _block(units: Sequence[_Scored], at: int) -> list[int]:
    return [i for i, scored in enumerate(units) if scored.unit.block == units[at].unit.block and i >= at]


def _within(units: Sequence[_Scored], run: list[int], max_chars: int) -> list[int]:
    kept: list[int] = []
    for at in run:
        max_chars -= len(units[at].unit.text) + 4
        if max_chars < 0 and kept:
            break
        kept.append(at)
    return kept


def _complement(first: _Candidate, candidates: Sequence[_Candidate], max_chars: int) -> _Candidate | None:
    """A unit of another passage that covers question words which the first leaves open."""
    covered = first.heading.union(*(first.units[at].covers for at in first.chosen))
    room = max_chars - sum(len(first.units[at].unit.text) for at in first.chosen)
    for other in candidates:
        if other is first or other.best < 0.8 * first.best:
            continue
        best = max(range(len(other.units)), key=lambda at: other.units[at].score)
        unit = other.units[best]
        if len(unit.unit.text) <= room and len(unit.covers - covered) >= 2:
            other.chosen = [best]
            return other
    return None


def _contradiction(first: _Candidate, candidates: Sequence[_Candidate]) -> _Candidate | None:
    """Another source that says what the first says, in much the same words and with other figures."""
    said = " ".join(first.units[at].unit.text for at in first.chosen)
    for other in candidates:
        if other.passage.source_id == first.passage.source_id or other.fit < 0.8 * first.fit:
            continue
        best = max(range(len(other.units)), key=lambda at: other.units[at].score)
        if _differ(said, other.units[best].unit.text, other.passage.language):
            other.chosen = [best]
            return other
    return None


def _differ(said: str, other: str, language: str) -> bool:
    """Whether nearly every word of the other statement was said, and each of them has a figure of its own."""
    words, others = (
        {word.stem for word in analyse(text, language).words if not _NUMBER.search(word.text)} for text in (said, other)
    )
    figures, other_figures = (set(re.findall(r"\d+", fold(text))) for text in (said, other))
    speaks_of_the_same = len(others) > 2 and len(words & others) >= _SAME_WORDS * len(others)
    return speaks_of_the_same and bool(figures - other_figures) and bool(other_figures - figures)


def _compose(candidates: Sequence[_Candidate], before_the_second: str = "") -> Extract:
    parts = []
    for number, candidate in enumerate(candidates, 1):
        units = [candidate.units[at].unit for at in candidate.chosen]
        if len(units) == 1 and units[0].kind != "code" and not units[0].number:
            units = [replace(units[0], kind="sentence")]  # one item or row by itself is no list
        lead = before_the_second if number > 1 else ""
        parts.append(lead + _named(units, candidate.units) + _written(units, f"[{number}]"))
    return Extract("\n\n".join(parts), [candidate.passage for candidate in candidates])


def _named(units: Sequence[Unit], passage: Sequence[_Scored]) -> str:
    """The heading of what is quoted, where the passage holds sections of several."""
    heading = units[0].heading
    several = any(scored.unit.heading != heading for scored in passage)
    if not (heading and several) or fold(heading) in fold(units[0].text):
        return ""
    joint = " " if units[0].kind == "sentence" else "\n\n"
    return f"{heading}{'' if heading.endswith(_SENTENCE_END) else ':'}{joint}"


def _written(units: Sequence[Unit], mark: str) -> str:
    """Units as Markdown: sentences run on, items and rows stand on lines of their own."""
    text = ""
    for before, unit in zip([None, *units], units, strict=False):
        text += _joint(before, unit) + _line(unit)
    return text + ("\n" if units[-1].kind == "code" else " ") + mark


def _joint(before: Unit | None, unit: Unit) -> str:
    if before is None:
        return ""
    if before.kind == unit.kind == "sentence":
        return " " if before.text.endswith(_SENTENCE_END) else "\n"
    return "\n" if before.kind == unit.kind else "\n\n"


def _line(unit: Unit) -> str:
    if unit.kind in ("code", "sentence"):
        return unit.text
    return f"{unit.number}. {unit.text}" if unit.number else f"- {unit.text}"
