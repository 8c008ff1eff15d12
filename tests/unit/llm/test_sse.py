"""The event parser, over every way a stream can be cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.llm.errors import Malformed
from chatbot.llm.sse import MAX_EVENT_BYTES, EventParser

TEXT = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=30)
LINE_END = st.sampled_from(["\n", "\r\n", "\r"])
NOISE = st.sampled_from([": ping", ":", "event: message", "id: 7", "retry: 10", "unknown", "\x0bdata: no"])


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, list[bytes]]:
    """A stream with comments and any line ends, and the data it carries."""
    end = draw(LINE_END)
    bom = draw(st.sampled_from(["", "\ufeff"]))
    lines, expected = [], []
    for values in draw(st.lists(st.lists(TEXT, min_size=1, max_size=3), max_size=8)):
        for value in values:
            lines += draw(st.lists(NOISE, max_size=2))
            # Without the space a value of its own leading space would lose it; the rule strips just one.
            lines.append(f"data: {value}" if value.startswith(" ") or draw(st.booleans()) else f"data:{value}")
        lines.append("")
        expected.append("\n".join(values).encode())
    return (bom + "".join(line + end for line in lines)).encode(), expected


@given(streams(), st.data())
def test_any_split_gives_the_same_events(stream: tuple[bytes, list[bytes]], data: st.DataObject) -> None:
    wire, expected = stream
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=12)))
    parser = EventParser()
    events = []
    for start, end in zip([0, *cuts], [*cuts, len(wire)], strict=True):
        events += parser.feed(wire[start:end])
    assert events + parser.close() == expected


@given(streams())
def test_byte_by_byte(stream: tuple[bytes, list[bytes]]) -> None:
    wire, expected = stream
    parser = EventParser()
    events = [event for i in range(len(wire)) for event in parser.feed(wire[i : i + 1])]
    assert events + parser.close() == expected


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=6))
def test_garbage_never_breaks_the_parser(garbage: bytes, cuts: list[int]) -> None:
    whole, pieces = EventParser(), EventParser()
    points = sorted(min(cut, len(garbage)) for cut in cuts)
    events = []
    for start, end in zip([0, *points], [*points, len(garbage)], strict=True):
        events += pieces.feed(garbage[start:end])
    assert events + pieces.close() == whole.feed(garbage) + whole.close()


def test_the_last_event_needs_no_blank_line() -> None:
    parser = EventParser()
    assert parser.feed(b"data: a\n\ndata: [DO") == [b"a"]
    assert parser.feed(b"NE]") == []
    assert parser.close() == [b"[DONE]"]


@pytest.mark.parametrize("piece", [b"x" * 65536, b"data: " + b"x" * 65536 + b"\n"])
def test_an_endless_event_is_refused(piece: bytes) -> None:
    parser = EventParser()
    with pytest.raises(Malformed, match=str(MAX_EVENT_BYTES)):
        for _ in range(20):
            parser.feed(piece)
