"""The parsing child process: reads one file after another from its pipe, under limits of the kernel.

Started by `sandbox.py` as `python -m chatbot.knowledge.parse.child <pid of the parent>`. It ends when
its pipe closes or its parent dies, whatever it is doing.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any, BinaryIO

from chatbot.knowledge.parse import engine, frames
from chatbot.knowledge.parse.errors import ParseError, ParseFault
from chatbot.knowledge.parse.extract import parse_bytes
from chatbot.knowledge.parse.model import ParsedDocument, ParseLimits, check_size

_PR_SET_PDEATHSIG = 1
_OPEN_FILES = 64


def main() -> None:
    """Serve requests until the pipe closes."""
    _die_with_parent(int(sys.argv[1]))
    engine.unpack()  # before the limits: it is the last thing that is written
    _limit_process()
    requests = sys.stdin.buffer
    # Libraries may print: the answers go to a private copy of the pipe, prints to the error stream.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    while (message := frames.read_head(requests)) is not None:
        head, body_size = message
        _answer(answers, *_serve(head, requests.read(body_size)))


def _serve(head: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
    limits = ParseLimits(**head["limits"])
    try:
        _limit_request(limits)
        data = body if head["path"] is None else _read(head["path"], limits)
        document = parse_bytes(data, head["filename"], head["declared_type"], limits)
    except ParseError as error:
        return {"ok": False, "code": error.code, "reason": error.reason}, b""
    except MemoryError:
        return {"ok": False, "code": ParseFault.OUT_OF_MEMORY, "reason": "Reading the file needs too much memory."}, b""
    except RecursionError:
        return {"ok": False, "code": ParseFault.CORRUPT, "reason": "The file is nested too deeply to be read."}, b""
    return _success(document)


def _success(document: ParsedDocument) -> tuple[dict[str, Any], bytes]:
    body = "\n".join(document.to_lines()).encode("utf-8", errors="replace")
    return {"ok": True, "memory_bytes": _resident_bytes()}, body


def _resident_bytes() -> int:
    """What this process holds now. Not `ru_maxrss`: that begins with what the parent held when it forked."""
    if sys.platform != "linux":
        return 0
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * resource.getpagesize()


def _answer(stream: BinaryIO, head: dict[str, Any], body: bytes) -> None:
    stream.write(frames.encode(head, len(body)))
    stream.write(body)
    stream.flush()


def _read(path: str, limits: ParseLimits) -> bytes:
    file = Path(path)
    try:
        check_size(file.stat().st_size, limits)
        with file.open("rb") as stream:
            data = stream.read(limits.max_bytes + 1)
    except OSError as error:
        raise ParseError(ParseFault.NOT_FOUND, "The stored file could not be opened.") from error
    check_size(len(data), limits)
    return data


def _limit_process() -> None:
    """Limits that hold for the whole life: no core dumps, no files written, few files open."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_OPEN_FILES, _OPEN_FILES))


def _limit_request(limits: ParseLimits) -> None:
    """Limits of this one file: memory in all, and processor time on top of what was used before."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(usage.ru_utime + usage.ru_stime) + 1 + limits.cpu_seconds
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, resource.RLIM_INFINITY))


def _die_with_parent(parent: int) -> None:
    """Ask the kernel (Linux) for a kill when the parent dies; elsewhere the closed pipe ends us."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            sys.exit(1)


if __name__ == "__main__":
    main()
