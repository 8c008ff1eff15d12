"""Files made for the tests: each maker returns the bytes of one real file."""

import io
import zipfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import docx
import openpyxl
import pikepdf
import pptx
from fpdf import FPDF

PERSIAN = [
    "راهنمای بازگشت کالا",
    (
        "شما می توانید کالا را تا ۳۰ روز پس از خرید بازگردانید. هزینه های ارسال با مشتری است و برای هر سفارش "
        "(پستی) 25 هزار تومان است. سلام ما را بپذیرید."
    ),
    "برای دریافت راهنمایی با support@example.com یا شماره 021-88776655 تماس بگیرید و شماره سفارش خود را بنویسید.",
]
ARABIC = [
    "سياسة الإرجاع",
    (
        "يمكنك إرجاع المنتج خلال 30 يوما من تاريخ الشراء. الرسوم على العميل في هذه الحالة، "
        "ولا يشمل ذلك Windows 11 Pro أبدا."
    ),
]
ENGLISH = [
    "Return policy",
    "You can return any product within 30 days. " * 10,
    "Shipping",
    "Shipping costs 5 euros. " * 10,
]


def font() -> Path:
    """DejaVu Sans, which has Persian and Arabic letters, out of the wheel of matplotlib."""
    spec = find_spec("matplotlib")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "mpl-data/fonts/ttf/DejaVuSans.ttf"


def make_pdf(paragraphs: list[str], *, shaped: bool = True, align: str = "R", title: str | None = None) -> bytes:
    """A PDF whose first, third, … short paragraphs are headings by their size."""
    pdf = FPDF()
    if title:
        pdf.set_title(title)
    pdf.add_page()
    pdf.add_font("dejavu", "", str(font()))
    pdf.set_font("dejavu", size=12)
    pdf.set_text_shaping(shaped)
    for text in paragraphs:
        pdf.set_font_size(20 if len(text) < 40 else 12)
        pdf.multi_cell(0, 10, text, align=align, new_x="LMARGIN", new_y="NEXT")
    return bytes(pdf.output())


def make_scan() -> bytes:
    """A PDF of one picture and no text."""
    from PIL import Image  # noqa: PLC0415 - only this maker draws

    pdf = FPDF()
    pdf.add_page()
    pdf.image(Image.new("RGB", (200, 200), "gray"))
    return bytes(pdf.output())


def encrypt_pdf(data: bytes) -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(data)) as pdf:
        pdf.save(out, encryption=pikepdf.Encryption(owner="owner", user="secret"))
    return out.getvalue()


def make_docx(text: str = "You can return any product within 30 days.") -> bytes:
    document = docx.Document()
    document.core_properties.title = "Shop handbook"
    document.add_heading("Returns", 1)
    document.add_paragraph(text)
    document.add_heading("Costs", 2)
    table = document.add_table(rows=3, cols=2)
    for row, cells in enumerate([("Country", "Price"), ("Germany", "5 | 6"), ("ایران", "۷")]):
        for column, cell in enumerate(cells):
            table.cell(row, column).text = cell
    return _saved(document)


def make_pptx() -> bytes:
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    slide.shapes.title.text = "Warranty"
    slide.placeholders[1].text = "Two years on every device"
    return _saved(deck)


def make_xlsx(rows: Sequence[Sequence[object]] = (("Plan", "Price"), ("Pro", 10.5), ("Free", 0))) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Prices"
    for row in rows:
        sheet.append(row)
    return _saved(book)


def make_epub() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as book:
        book.writestr("mimetype", "application/epub+zip")
        book.writestr(
            "META-INF/container.xml",
            '<?xml version="1.0"?><container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
            '<rootfiles><rootfile full-path="c.opf" '
            'media-type="application/oebps-package+xml"/></rootfiles></container>',
        )
        book.writestr(
            "c.opf",
            '<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="i">'
            '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>The '
            "manual</dc:title><dc:language>en</dc:language>"
            '<dc:identifier id="i">x</dc:identifier></metadata><manifest><item id="c1" href="c1.xhtml" '
            'media-type="application/xhtml+xml"/></manifest><spine><itemref idref="c1"/></spine></package>',
        )
        book.writestr(
            "c1.xhtml",
            '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title>c</title></head><body>'
            "<h1>Chapter one</h1><p>Press the red button.</p></body></html>",
        )
    return out.getvalue()


def inflating_docx(megabytes: int, *, lying: bool = False) -> bytes:
    """A small DOCX whose document inflates to so many megabytes; `lying` writes a small size into the directory."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(make_docx())) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as bomb:
        for entry in source.infolist():
            content = source.read(entry)
            if entry.filename == "word/document.xml":
                body = content.index(b"<w:body>") + 8
                content = (
                    content[:body]
                    + b"<w:p><w:r><w:t>x</w:t></w:r></w:p>" * (megabytes * 1024 * 1024 // 34)
                    + content[body:]
                )
            bomb.writestr(entry.filename, content)
    data = out.getvalue()
    return _with_false_size(data, b"word/document.xml") if lying else data


def zip_with(name: str, base: bytes) -> bytes:
    """A copy of an archive with one more entry."""
    out = io.BytesIO(base)
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr(name, b"x")
    return out.getvalue()


def _with_false_size(data: bytes, name: bytes) -> bytes:
    entry = data.rindex(b"PK\x01\x02", 0, data.rindex(name))
    return data[: entry + 24] + (1000).to_bytes(4, "little") + data[entry + 28 :]


def _saved(document: object) -> bytes:
    out = io.BytesIO()
    document.save(out)  # type: ignore[attr-defined]
    return out.getvalue()
