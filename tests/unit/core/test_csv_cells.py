"""CSV cells: nothing that a visitor wrote becomes a formula, everything reads back as it was."""

import csv
import io
from collections.abc import AsyncIterator

import pytest

from chatbot.core.csv_cells import csv_line, csv_lines, csv_stream, safe_cell


@pytest.mark.parametrize(
    "text",
    [
        '=HYPERLINK("https://evil.example","x")',
        "+1+cmd|' /C calc'!A0",
        "-2+3+cmd|' /C calc'!A0",
        "@SUM(1+1)",
        "\t=1+1",
        "\r=1+1",
        "\n=1+1",
        "  =1+1",
        "\u00a0=1+1",
        "＝1+1",
    ],
)
def test_text_is_never_the_beginning_of_a_formula(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize(
    ("value", "cell"),
    [(None, ""), (-5, "-5"), (-0.25, "-0.25"), (True, "true"), ("a=b", "a=b"), ("سلام", "سلام"), ("", "")],
)
def test_what_is_no_formula_stays_as_it_is(value: object, cell: str) -> None:
    assert safe_cell(value) == cell


def test_a_file_reads_back_with_quotes_commas_and_line_breaks() -> None:
    rows = [["a,b", 'say "hi"', "two\nlines"], ["پرسش", 3, None]]
    text = "".join(csv_lines(["one", "two", "three"], rows))
    assert text.startswith("\ufeffone,two,three\r\n")
    read = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    assert read[1:] == [["a,b", 'say "hi"', "two\nlines"], ["پرسش", "3", ""]]


async def test_a_stream_gives_the_same_lines() -> None:
    async def rows() -> AsyncIterator[list[object]]:
        yield [1, "=x"]

    assert [line async for line in csv_stream(["n", "t"], rows())] == ["\ufeffn,t\r\n", csv_line([1, "=x"])]
