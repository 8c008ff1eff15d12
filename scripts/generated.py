"""Files that a script writes: kept current, or told of when they are not."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path


def keep_current(description: str | None, stale: Mapping[Path, str], remedy: str) -> int:
    """Write what is stale, or with `--check` name it and say what to run; return the exit code."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a file is not current")
    check = parser.parse_args().check
    for path, text in stale.items():
        if check:
            sys.stderr.write(f"{path.name} is not current: run {remedy}\n")
        else:
            path.write_text(text)
    return 1 if check and stale else 0
