"""An incremental parser of server-sent events, fed with bytes cut anywhere."""

from chatbot.llm.errors import Malformed

MAX_EVENT_BYTES = 1024 * 1024
_BOM = b"\xef\xbb\xbf"


class EventParser:
    """Turns chunks of a `text/event-stream` into the data of its events (WHATWG HTML, 9.2.6).

    Lines end with LF, CRLF or CR; comments and the fields `event`, `id` and `retry` are skipped. Splitting happens
    on bytes, so a UTF-8 sequence or a CRLF may be cut in two by a chunk's end.
    """

    def __init__(self) -> None:
        self._tail = bytearray()
        self._data: list[bytes] = []
        self._held = 0
        self._after_cr = False
        self._at_start = True

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take the next bytes and return the data of every event they complete.

        Raises:
            Malformed: an event longer than 1 MiB.
        """
        if self._after_cr and chunk:
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n")  # the second half of a CRLF
        if b"\n" not in chunk and b"\r" not in chunk:
            self._tail += chunk
            self._check_size(len(self._tail))
            return []
        self._after_cr = chunk.endswith(b"\r")
        lines = (bytes(self._tail) + chunk).splitlines()
        self._tail = bytearray() if chunk[-1] in b"\r\n" else bytearray(lines.pop())
        self._check_size(len(self._tail))
        return self._events(lines)

    def close(self) -> list[bytes]:
        """Return the data of an event whose last line or blank line is missing at the stream's end."""
        lines = [bytes(self._tail), b""]
        self._tail.clear()
        return self._events(lines)

    def _events(self, lines: list[bytes]) -> list[bytes]:
        if self._at_start:
            self._at_start = False
            lines[0] = lines[0].removeprefix(_BOM)
        events: list[bytes] = []
        for line in lines:
            if line.startswith(b"data:"):
                self._hold(line[6:] if line[5:6] == b" " else line[5:])
            elif not line and self._data:
                events.append(self._data[0] if len(self._data) == 1 else b"\n".join(self._data))
                self._data.clear()
                self._held = 0
        return events

    def _hold(self, value: bytes) -> None:
        self._held += len(value)
        self._check_size(self._held)
        self._data.append(value)

    def _check_size(self, size: int) -> None:
        if size > MAX_EVENT_BYTES:
            raise Malformed(f"an event of the stream is longer than {MAX_EVENT_BYTES} bytes")
