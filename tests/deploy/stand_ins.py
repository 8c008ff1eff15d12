"""Programs that stand in for ones which need a cluster: they record what was asked, and answer what the test says."""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

_PROGRAM = """#!{python} -IS
import json, re, sys
from pathlib import Path

said = " ".join(sys.argv[1:])
given = "" if sys.stdin.isatty() else sys.stdin.read()
with Path({record!r}).open("a") as sink:
    sink.write(json.dumps({{"arguments": sys.argv[1:], "input": given}}) + "\\n")
for pattern, (output, code) in json.loads(Path({answers!r}).read_text()).items():
    if re.search(pattern, said, re.S):
        print(output, end="")
        print("" if code == 0 else "refused by the test", file=sys.stderr, end="")
        sys.exit(code)
"""


class StandIn:
    """A program of a name in a folder that a script's PATH begins with.

    Args:
        answers: what it prints and with which code it ends, by a pattern over its arguments; else nothing and 0.
    """

    def __init__(self, folder: Path, name: str, answers: Mapping[str, tuple[str, int]] | None = None) -> None:
        self._record = folder / f"{name}.calls"
        self._answers = folder / f"{name}.answers"
        self.answer(answers or {})
        program = folder / name
        program.write_text(_PROGRAM.format(python=sys.executable, record=str(self._record), answers=str(self._answers)))
        program.chmod(0o755)

    def answer(self, answers: Mapping[str, tuple[str, int]]) -> None:
        """Say anew what it answers."""
        self._answers.write_text(json.dumps(answers))

    @property
    def calls(self) -> list[str]:
        """The arguments of every call, each as one line."""
        return [" ".join(each["arguments"]) for each in self._read()]

    @property
    def inputs(self) -> list[str]:
        """What came by standard input, call by call."""
        return [each["input"] for each in self._read()]

    def _read(self) -> list[dict[str, object]]:
        if not self._record.exists():
            return []
        return [json.loads(line) for line in self._record.read_text().splitlines()]


def path_with(folder: Path) -> str:
    """A PATH that begins with a folder."""
    return f"{folder}{os.pathsep}{os.environ['PATH']}"
