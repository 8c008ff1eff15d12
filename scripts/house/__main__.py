"""Check the whole of `chatbot/` and the lock files; exit 1 with a line per finding."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from scripts.house.rules import Finding, check

ROOT = Path(__file__).parents[2]
_PLACEHOLDER = re.compile(r"@@[A-Z]+@@")
_ADDRESS = re.compile(r'"resolved":\s*"http|--(extra-)?index-url|tarball:\s*http|@ https?://')


def findings(root: Path) -> Iterator[Finding]:
    """Yield what breaks a house rule below a checkout's root."""
    for path in sorted((root / "chatbot").rglob("*.py")):
        yield from check(PurePosixPath(path.relative_to(root)), path.read_text())
    for path in [*root.glob("requirements/*.txt"), *root.glob("services/*/package-lock.json")]:
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            if _ADDRESS.search(line):
                yield Finding(
                    PurePosixPath(path.relative_to(root)), number, "lock_without_addresses", "names an address"
                )
    for path in [root / "README.md", *root.glob("docs/**/*.md")]:
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            if _PLACEHOLDER.search(line):
                yield Finding(PurePosixPath(path.relative_to(root)), number, "nothing_for_later", "has a placeholder")


def main() -> int:
    """Print the findings; return the exit code."""
    found = list(findings(ROOT))
    for item in found:
        print(f"{item.path}:{item.line}: {item.rule}: {item.message}")
    print(f"house rules: {len(found)} broken" if found else "house rules: kept")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
