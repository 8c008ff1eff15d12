"""Parsing where it can do no harm: child processes that are limited, watched, and replaced when they break."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from chatbot.knowledge.parse import frames
from chatbot.knowledge.parse.errors import ParseError, ParseFault
from chatbot.knowledge.parse.model import ParsedDocument, ParseLimits, check_size

_PACKAGE_ROOT = str(Path(__file__).resolve().parents[3])
_RETIRE_AFTER = 500
_MAX_BYTES_PER_CHAR = 6  # JSON writes a control character as six bytes
_STDERR_TAIL = 4096
_BIG_BODY = 256 * 1024


class ParserSandbox:
    """A small pool of parsing children.

    At most `size` files are parsed at once; further callers wait in order. A child that is idle for
    `idle_seconds` ends and gives its memory back; the next file starts a new one (about 0.2 s).
    Use as an async context manager, or call `close()`.

    Args:
        scratch: where a child unpacks its libraries before it may write no more; nobody else can write there.
            None: a temporary folder that goes with the sandbox.
    """

    def __init__(self, size: int = 1, idle_seconds: float = 30.0, scratch: Path | None = None) -> None:
        self._places = asyncio.Semaphore(size)
        self._idle_seconds = idle_seconds
        self._idle: list[_Child] = []
        self._closed = False
        self._own_scratch = None if scratch else tempfile.TemporaryDirectory(prefix="xin-parser-")
        self._scratch = scratch or Path(self._own_scratch.name if self._own_scratch else "")
        self._scratch.mkdir(mode=0o700, parents=True, exist_ok=True)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def parse(
        self,
        source: bytes | str | Path,
        filename: str,
        declared_type: str | None = None,
        limits: ParseLimits | None = None,
    ) -> ParsedDocument:
        """Read one file, given as its bytes or as a path on this machine.

        Raises ParseError with code and reason, whatever the file does to the child. A cancelled call
        kills the child at once.
        """
        limits = limits or ParseLimits()
        if self._closed:
            raise RuntimeError("the parser sandbox is closed")
        if isinstance(source, bytes):
            check_size(len(source), limits)
        async with self._places:
            child = await self._take()
            try:
                document = await child.parse(source, filename, declared_type, limits)
            except ParseError:
                await self._keep(child)
                raise
            except BaseException:
                await child.kill()
                raise
            await self._keep(child)
            return document

    async def close(self) -> None:
        """End the idle children; those at work end with their calls."""
        self._closed = True
        children, self._idle = self._idle, []
        for child in children:
            await child.kill()
        if self._own_scratch:
            self._own_scratch.cleanup()

    async def _take(self) -> _Child:
        while self._idle:
            child = self._idle.pop()
            child.forget_idle()
            if child.alive:
                return child
            await child.kill()
        return await _Child.start(self._scratch)

    async def _keep(self, child: _Child) -> None:
        if child.alive and not child.worn and not self._closed:
            self._idle.append(child)
            child.when_idle(self._idle_seconds, self._retire)
        else:
            await child.kill()

    async def _retire(self, child: _Child) -> None:
        if child in self._idle:
            self._idle.remove(child)
            await child.kill()


class _Child:
    """One child process, used by one caller at a time."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._stderr = b""
        self._drain = asyncio.create_task(self._read_stderr())
        self._idle: asyncio.Task[None] | None = None
        self._served = 0
        self._memory_share = 0.0

    @classmethod
    async def start(cls, scratch: Path) -> _Child:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-s", "-m", "chatbot.knowledge.parse.child", str(os.getpid()),
            stdin=PIPE, stdout=PIPE, stderr=PIPE, env=_bare_environment(scratch), start_new_session=True,
        )  # fmt: skip
        return cls(process)

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    @property
    def worn(self) -> bool:
        """Whether it has served long or grown large; a fresh one then takes its place."""
        return self._served >= _RETIRE_AFTER or self._memory_share > 0.5

    def when_idle(self, seconds: float, retire: Any) -> None:
        async def wait() -> None:
            await asyncio.sleep(seconds)
            self._idle = None
            await retire(self)

        self._idle = asyncio.create_task(wait())

    def forget_idle(self) -> None:
        if self._idle:
            self._idle.cancel()
            self._idle = None

    async def parse(
        self, source: bytes | str | Path, filename: str, declared_type: str | None, limits: ParseLimits
    ) -> ParsedDocument:
        """One request and its answer; a ParseError for all the child can do wrong."""
        self._served += 1
        try:
            async with asyncio.timeout(limits.wall_seconds):
                head, body = await self._exchange(source, filename, declared_type, limits)
        except TimeoutError as error:
            await self.kill()
            raise _timeout(limits.wall_seconds) from error
        except (asyncio.IncompleteReadError, ConnectionError, BrokenPipeError) as error:
            raise await self._why_it_died(limits) from error
        if not head["ok"]:
            raise ParseError(ParseFault(head["code"]), head["reason"])
        self._memory_share = head["memory_bytes"] / limits.memory_bytes
        # A large document is millions of characters: read beside the event loop, which would stand still for a second.
        if len(body) > _BIG_BODY:
            return await asyncio.to_thread(_document_of, body)
        return _document_of(body)

    async def kill(self) -> None:
        """End the process now and wait until it is gone."""
        self.forget_idle()
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        await asyncio.shield(self._process.wait())
        self._drain.cancel()

    async def _exchange(
        self, source: bytes | str | Path, filename: str, declared_type: str | None, limits: ParseLimits
    ) -> tuple[dict[str, Any], bytes]:
        body = source if isinstance(source, bytes) else b""
        head = {
            "filename": filename[-255:],
            "declared_type": declared_type,
            "limits": asdict(limits),
            "path": None if isinstance(source, bytes) else os.fspath(source),
        }
        assert self._process.stdin is not None
        self._process.stdin.write(frames.encode(head, len(body)))
        self._process.stdin.write(body)
        await self._process.stdin.drain()
        return await self._read_answer(limits)

    async def _read_answer(self, limits: ParseLimits) -> tuple[dict[str, Any], bytes]:
        assert self._process.stdout is not None
        lengths = await self._process.stdout.readexactly(frames.LENGTHS.size)
        head_size, body_size = frames.LENGTHS.unpack(lengths)
        if head_size > frames.MAX_HEAD or body_size > limits.max_text_chars * _MAX_BYTES_PER_CHAR + frames.MAX_HEAD:
            await self.kill()
            raise ParseError(ParseFault.TOO_MUCH_TEXT, "The file holds more text than is read.")
        head: dict[str, Any] = json.loads(await self._process.stdout.readexactly(head_size))
        return head, await self._process.stdout.readexactly(body_size)

    async def _read_stderr(self) -> None:
        """Keeps the last words of the child; a full pipe would otherwise stop it."""
        assert self._process.stderr is not None
        while block := await self._process.stderr.read(_STDERR_TAIL):
            self._stderr = (self._stderr + block)[-_STDERR_TAIL:]

    async def _why_it_died(self, limits: ParseLimits) -> ParseError:
        code = await self._process.wait()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._drain), 1.0)
        if code == -signal.SIGXCPU:
            return _timeout(limits.cpu_seconds)
        if b"memory allocation" in self._stderr or b"MemoryError" in self._stderr or b"bad_alloc" in self._stderr:
            return _out_of_memory(limits)
        if code == -signal.SIGKILL:
            return _out_of_memory(limits)
        return ParseError(ParseFault.CRASHED, "The file made its reader fail; it may be damaged.")


def _document_of(body: bytes) -> ParsedDocument:
    return ParsedDocument.from_lines(body.split(b"\n"))


def _bare_environment(scratch: Path) -> dict[str, str]:
    """What the child may know: where the code is, and nothing of the platform's settings or secrets."""
    return {
        "PYTHONPATH": _PACKAGE_ROOT,
        "TMPDIR": str(scratch),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONIOENCODING": "utf-8",
        "LC_ALL": "C.UTF-8",
        # One arena and one worker thread: each further one reserves address space that counts as memory.
        "MALLOC_ARENA_MAX": "1",
        "RAYON_NUM_THREADS": "1",
        "TOKIO_WORKER_THREADS": "1",
    }


def _timeout(seconds: float) -> ParseError:
    return ParseError(ParseFault.TIMEOUT, f"Reading the file took longer than {seconds:.0f} seconds.")


def _out_of_memory(limits: ParseLimits) -> ParseError:
    megabytes = limits.memory_bytes // (1024 * 1024)
    return ParseError(ParseFault.OUT_OF_MEMORY, f"Reading the file needs more than {megabytes} MB of memory.")
