"""Names of files in headers."""

from collections.abc import AsyncIterator

import pytest

from chatbot.core.blobs import OpenFile
from chatbot.core.downloads import as_attachment, download


@pytest.mark.parametrize(
    ("name", "plain", "encoded"),
    [
        ("bill.pdf", "bill.pdf", "bill.pdf"),
        ("فاکتور.pdf", "______.pdf", "%D9%81%D8%A7%DA%A9%D8%AA%D9%88%D8%B1.pdf"),
        ('a"; b\r\nX: 1.txt', "a__ b__X_ 1.txt", "a%22%3B%20b%0D%0AX%3A%201.txt"),
        ("../../etc/passwd", "_.._etc_passwd", "..%2F..%2Fetc%2Fpasswd"),
        ("", "file", ""),
    ],
)
def test_any_name_fits_into_a_header(name: str, plain: str, encoded: str) -> None:
    said = as_attachment(name)["Content-Disposition"]
    assert said == f"attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}"


def test_nothing_is_made_of_a_file() -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield b"<script>"

    answer = download(OpenFile(8, parts()), "page.html")
    assert (answer.media_type, answer.headers["cache-control"]) == ("application/octet-stream", "private, no-store")
    assert answer.headers["content-length"] == "8"
