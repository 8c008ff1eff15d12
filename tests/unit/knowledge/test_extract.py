"""Every readable type, and every reason for a refusal."""

import json
from pathlib import Path

import pytest

from chatbot.knowledge.parse.errors import ParseError, ParseFault
from chatbot.knowledge.parse.extract import parse_bytes
from chatbot.knowledge.parse.model import MEGABYTE, ParsedDocument, ParseLimits
from chatbot.knowledge.parse.pairs import pairs_in
from tests.unit.knowledge import files

PRINTED = Path(__file__).parent / "printed"

PAGE = """<!DOCTYPE html><html lang="en"><head><title>Refunds | Acme Shop</title><link rel="canonical" href="/refunds">
<script>var secret = 1;</script></head><body><nav>Home Products Cart</nav><main><h1>Refunds</h1>
<p>Money comes back in <b>five</b> days, see <a href="https://example.com/x">the rules</a>.</p><h2>Table</h2>
<table><tr><th>Card</th><th>Days</th></tr><tr><td>Visa</td><td>5</td></tr></table>
<p style="display:none">hidden words</p></main><footer>Copyright 2026</footer></body></html>"""


def parse(data: bytes, name: str, declared: str | None = None, limits: ParseLimits | None = None) -> ParsedDocument:
    return parse_bytes(data, name, declared, limits or ParseLimits())


def refused(data: bytes, name: str, limits: ParseLimits | None = None) -> ParseError:
    with pytest.raises(ParseError) as error:
        parse(data, name, limits=limits)
    assert error.value.reason.endswith((".", "!")), "a reason is a sentence"
    return error.value


def test_docx_keeps_headings_and_tables() -> None:
    document = parse(files.make_docx(), "a.docx")
    assert document.title == "Shop handbook"
    assert "# Returns" in document.markdown
    assert "## Costs" in document.markdown
    assert "| Germany | 5 \\| 6 |" in document.markdown


def test_pptx_xlsx_epub() -> None:
    assert "## Warranty" in parse(files.make_pptx(), "a.pptx").markdown
    assert "Two years on every device" in parse(files.make_pptx(), "a.pptx").markdown
    assert "| Pro | 10.5 |" in parse(files.make_xlsx(), "prices_2026.xlsx").markdown
    assert parse(files.make_xlsx(), "prices_2026.xlsx").title == "prices 2026"
    book = parse(files.make_epub(), "a.epub")
    assert (book.title, book.language) == ("The manual", "en")
    assert "Press the red button." in book.markdown


def test_a_pdf_printed_by_a_browser_loses_no_word_no_figure_and_no_cell() -> None:
    document = parse((PRINTED / "english.pdf").read_bytes(), "english.pdf")
    assert document.markdown.split("\n\n") == [
        "# Datasheet",
        (
            "The router draws 9 watts when idle and at most 24 watts under load. "
            "It may be used between 0 and 40 degrees Celsius."
        ),
        "It transmits on 2.4 GHz and 5 GHz with four antennas. The 6 GHz band is not supported.",
        "| Port | Speed |\n| --- | --- |\n| WAN | 2.5 Gbit/s |\n| LAN 1 | 1 Gbit/s |",
    ]


def test_english_pdf_keeps_headings_and_paragraphs() -> None:
    document = parse(files.make_pdf(files.ENGLISH, align="L", title="Policy 2026"), "a.pdf")
    assert document.title == "Policy 2026"
    assert document.pages == 1
    assert "# Return policy" in document.markdown
    assert "Shipping\n" in document.markdown
    assert "You can return any product within 30 days. You can" in document.markdown
    assert "\n- " not in document.markdown


def test_html_loses_its_frame_and_keeps_its_content() -> None:
    page = parse(PAGE.encode(), "a.html")
    assert (page.title, page.language, page.canonical_url) == ("Refunds", "en", "/refunds")
    assert "| Visa | 5 |" in page.markdown
    assert "see the rules." in page.markdown
    for noise in ("Home Products", "Copyright", "secret", "hidden words", "https://"):
        assert noise not in page.markdown


def test_markdown_text_csv_json() -> None:
    note = parse(b"---\ntitle: My note\nlang: es\n---\n# H\n\nHola ![pic](http://x/y.png)\n", "a.md")
    assert (note.title, note.language, note.markdown) == ("My note", "es", "# H\n\nHola pic")
    assert parse(b"First line\n\n# not a heading", "a.txt").markdown == "First line\n\n\\# not a heading"
    assert parse(b"Plan;Preis\nPro;10\n", "a.csv").markdown.endswith("| Pro | 10 |")
    assert parse(b"a\tb\n1\t2\n", "a.tsv").markdown.startswith("| a | b |")
    faq = [{"question": "How long?", "answer": "Five days. " * 20}, {"question": "How much?", "answer": "Nothing."}]
    read = parse(json.dumps({"title": "FAQ", "items": faq}).encode(), "a.json")
    assert read.title == "FAQ"
    assert "## How long?" in read.markdown
    assert "answer:" not in read.markdown
    assert read.pairs[1] == ("How much?", "Nothing.", ())
    assert "| b |" in parse(b'[{"a": 1, "b": 2}, {"a": 3, "b": 4}]', "a.json").markdown
    assert "yes" in parse(b'{"n": true}\n{"n": false}\n', "lines.json").markdown


@pytest.mark.parametrize(
    ("value", "pairs"),
    [
        ([{"question": "Q?", "answer": "A."}], [("Q?", "A.", ())]),
        ([{"Pregunta": "¿Q?", "Respuesta": "R."}], [("¿Q?", "R.", ())]),
        ([{"پرسش": "چند؟", "پاسخ": "پنج."}], [("چند؟", "پنج.", ())]),
        ([{"Q": " Q? ", "A": "A.", "id": 7, "lang": "en"}], [("Q?", "A.", ())]),
        ({"question": "Q?", "answer": 5}, [("Q?", "5", ())]),
        ({"title": "FAQ", "faqs": [{"q": "Q?", "a": "A.", "category": "Pay"}]}, [("Q?", "A.", ("Pay",))]),
        ([{"name": "Pay", "questions": [{"q": "Q?", "a": "A."}]}], [("Q?", "A.", ("Pay",))]),
        ({"pay": [{"q": "Q?", "a": "A."}], "ship": [{"q": "R?", "a": "B."}]},
         [("Q?", "A.", ("pay",)), ("R?", "B.", ("ship",))]),
        ([{"q": "Q?", "a": "A.", "price": "5 €"}], [("Q?", "A.\n\nprice: 5 €", ())]),
        ([{"q": "Q?", "a": "A."}, {"q": "R?"}], []),
        ([{"q": "Q?", "a": "A."}, "more"], []),
        ({"about": "The shop opens at nine.", "faq": [{"q": "Q?", "a": "A."}]}, []),
        ([{"title": "T", "content": "C"}], []),
        ([], []),
    ],
)  # fmt: skip
def test_questions_with_answers_in_json(value: object, pairs: list[tuple[str, str, tuple[str, ...]]]) -> None:
    assert list(pairs_in(value)) == pairs


def test_questions_with_answers_in_a_workbook() -> None:
    rows = [("پرسش", "پاسخ"), ("ارسال دارید؟", "بله."), ("Pipes | here?", "Yes.")]
    found = parse(files.make_xlsx(rows), "faq.xlsx").pairs
    assert [(pair.question, pair.answer) for pair in found] == [("ارسال دارید؟", "بله."), ("Pipes | here?", "Yes.")]
    assert parse(files.make_xlsx(), "prices.xlsx").pairs == ()


def test_questions_with_answers_in_a_table() -> None:
    assert parse(b"Question,Answer,Category\nMay I?,Yes.,Returns\n", "faq.csv").pairs == (
        ("May I?", "Yes.", ("Returns",)),
    )
    assert parse(b"Question,Answer\nMay I?,\n", "faq.csv").pairs == ()
    assert parse(b"Plan,Price\nPro,5\n", "plans.csv").pairs == ()


def test_what_stands_under_a_title_has_no_label() -> None:
    articles = [
        {"title": "Returns", "content": "Within a month.\n\n# Costs\n\nNone.", "views": 9},
        {"title": "Pay", "body": "Cash."},
    ]
    read = parse(json.dumps(articles).encode(), "a.json")
    assert read.markdown == "# Returns\n\nWithin a month.\n\n## Costs\n\nNone.\n\nviews: 9\n\n# Pay\n\nCash."
    assert read.pairs == ()


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8-sig", "سلام دنیا"),
        ("utf-16", "سلام دنیا"),
        ("utf-16-le", "Plain text in wide letters"),
        ("utf-16-be", "سلام به همه شما که اینجا هستید"),
        ("cp1256", "مرحبا بكم في متجرنا على الانترنت"),
        ("cp1252", "El envío cuesta más en España, señor"),
        ("cp1251", "Доставка занимает пять дней"),
    ],
)
def test_text_in_many_encodings(encoding: str, text: str) -> None:
    assert parse(text.encode(encoding), "a.txt").markdown == text


def test_html_follows_its_declared_charset() -> None:
    page = '<html><head><meta charset="windows-1256"></head><body><p>مرحبا بكم</p></body></html>'.encode("cp1256")
    assert parse(page, "a.html").markdown == "مرحبا بكم"


def test_a_few_bad_bytes_are_left_out_with_a_warning() -> None:
    document = parse("سلام دنیا ".encode() * 20 + b"\xff end", "a.txt")
    assert document.markdown.endswith("end")
    assert document.warnings == ("Some bytes were not valid UTF-8 and were left out.",)


@pytest.mark.parametrize("name", ["a.txt", "a.pdf", "a.docx", "a.html", "a.json", "a.csv"])
@pytest.mark.parametrize("data", [b"", b"\x00" * 100, b" \n\t ", b"\xef\xbb\xbf"])
def test_empty_files(name: str, data: bytes) -> None:
    assert refused(data, name).code == ParseFault.EMPTY_FILE


@pytest.mark.parametrize(
    ("maker", "name", "says"),
    [
        (files.make_docx, "a.pdf", "Word"),
        (files.make_docx, "a.xlsx", "Word"),
        (files.make_xlsx, "a.txt", "Excel"),
        (lambda: files.make_pdf(files.ENGLISH), "a.docx", "PDF"),
        (lambda: b"just words", "a.pdf", "not of that type"),
        (lambda: b"\x89PNG\r\n\x1a\n" + b"x" * 100, "a.html", "PNG"),
        (lambda: b"\x7fELF" + b"\x01" * 100, "a.txt", "program"),
        (lambda: bytes(range(256)) * 20, "a.txt", "binary"),
    ],
)
def test_wrong_extension(maker: object, name: str, says: str) -> None:
    error = refused(maker(), name)  # type: ignore[operator]
    assert error.code == ParseFault.TYPE_MISMATCH
    assert says in error.reason
    assert name in error.reason


def test_unsupported_types_are_named() -> None:
    assert "DOCX" in refused(b"x", "old.doc").reason
    assert refused(b"x", "a.exe").code == ParseFault.UNSUPPORTED_TYPE
    assert parse(b"words here", "README", "text/plain; charset=utf-8").kind == "txt"


def test_encrypted_files() -> None:
    assert refused(files.encrypt_pdf(files.make_pdf(files.ENGLISH)), "a.pdf").code == ParseFault.ENCRYPTED
    office = (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600 + "EncryptedPackage".encode("utf-16-le") + b"\x00" * 600
    )
    assert refused(office, "a.docx").code == ParseFault.ENCRYPTED


def test_sizes() -> None:
    error = refused(b"x" * (2 * MEGABYTE), "a.txt", ParseLimits(max_bytes=MEGABYTE))
    assert (error.code, error.reason) == (ParseFault.TOO_LARGE, "The file has 2.0 MB; at most 1 MB are read.")
    assert refused(b"words " * 1000, "a.txt", ParseLimits(max_text_chars=100)).code == ParseFault.TOO_MUCH_TEXT
    many = files.make_pdf(["A page. " * 2000], align="L")
    assert refused(many, "a.pdf", ParseLimits(max_pages=2)).code == ParseFault.TOO_MANY_PAGES


@pytest.mark.parametrize("lying", [False, True])
def test_a_small_docx_that_inflates_to_200_megabytes(lying: bool) -> None:
    bomb = files.inflating_docx(200, lying=lying)
    assert len(bomb) < 700_000
    assert refused(bomb, "bomb.docx").code in (ParseFault.INFLATES_TOO_MUCH, *([ParseFault.CORRUPT] if lying else []))


def test_unsafe_archives() -> None:
    for name in ("../../etc/passwd", "/etc/passwd", "a\\..\\..\\b", "C:/x"):
        assert refused(files.zip_with(name, files.make_docx()), "a.docx").code == ParseFault.UNSAFE_ARCHIVE
    assert refused(files.make_docx(), "a.docx", ParseLimits(max_entries=3)).code == ParseFault.TOO_MANY_ENTRIES


def test_damaged_files() -> None:
    assert refused(files.make_docx()[:-200], "a.docx").code == ParseFault.CORRUPT
    assert refused(b"%PDF-1.7\nnothing more", "a.pdf").code == ParseFault.CORRUPT
    assert "line 2" in refused(b'{"a": 1,\n oops}', "a.json").reason
    assert refused(b"[" * 100_000 + b"]" * 100_000, "a.json").code == ParseFault.CORRUPT


def test_files_without_text() -> None:
    assert refused(files.make_scan(), "scan.pdf").code == ParseFault.SCANNED
    assert "OCR" in refused(files.make_scan(), "scan.pdf").reason
    assert refused(b"<html><body><script>1</script><nav>Menu</nav></body></html>", "a.html").code == ParseFault.NO_TEXT
    assert (
        refused(b"<html><head><title>T</title></head><body><div id=root></div></body></html>", "a.html").code
        == ParseFault.NO_TEXT
    )
    assert refused(b"{}", "a.json").code == ParseFault.NO_TEXT
    assert refused(b"---", "a.md").code == ParseFault.NO_TEXT


def test_text_in_no_encoding() -> None:
    noise = bytes((index * 7919) % 120 + 129 for index in range(3000))
    assert refused(noise, "a.txt").code == ParseFault.BAD_ENCODING


def test_only_passing_faults_may_be_tried_again() -> None:
    assert ParseError(ParseFault.TIMEOUT, "x").retryable
    assert not ParseError(ParseFault.ENCRYPTED, "x").retryable
