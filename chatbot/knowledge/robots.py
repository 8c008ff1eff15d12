"""robots.txt as RFC 9309 reads it: the group for our name, the longest matching rule, wildcards."""

import re
from dataclasses import dataclass
from urllib.parse import unquote

AGENT = "xin"
MAX_BYTES = 512 * 1024


@dataclass(frozen=True, slots=True)
class Robots:
    """What a site allows. `crawl_delay` is in seconds, None where the site does not ask."""

    rules: tuple[tuple[bool, str], ...] = ()
    crawl_delay: float | None = None
    sitemaps: tuple[str, ...] = ()

    def allows(self, target: str) -> bool:
        """Whether a path (with its query) may be fetched; of rules equally long the allowing one wins."""
        best, allowed = -1, True
        for allow, pattern in self.rules:
            length = len(pattern)
            if (length > best or (length == best and allow)) and _matches(pattern, target):
                best, allowed = length, allow
        return allowed


ALLOW_ALL = Robots()


def read_robots(text: str) -> Robots:
    """The rules that hold for us: our own groups, else those for everybody."""
    groups: dict[str, list[tuple[bool, str]]] = {}
    delays: dict[str, float] = {}
    sitemaps: list[str] = []
    names: list[str] = []
    in_rules = False
    for line in text.splitlines():
        key, _, value = line.split("#", 1)[0].partition(":")
        key, value = key.strip().lower(), value.strip()
        if key == "user-agent":
            names = [value.lower()] if in_rules else [*names, value.lower()]
            in_rules = False
        elif key == "sitemap":
            sitemaps.append(value)
        elif key in {"allow", "disallow", "crawl-delay"}:
            in_rules = True
            _take(key, value, names, groups, delays)
    chosen = AGENT if AGENT in groups or AGENT in delays else "*"
    return Robots(tuple(groups.get(chosen, [])), delays.get(chosen), tuple(sitemaps))


def _take(
    key: str, value: str, names: list[str], groups: dict[str, list[tuple[bool, str]]], delays: dict[str, float]
) -> None:
    for name in names:
        rules = groups.setdefault(name, [])
        if key == "crawl-delay":
            if re.fullmatch(r"\d{1,6}(\.\d+)?", value):
                delays[name] = float(value)
        elif value:
            rules.append((key == "allow", value))


def _matches(pattern: str, target: str) -> bool:
    """`*` stands for anything, a final `$` for the end; matched piece by piece, so no pattern can be slow."""
    pattern, target = unquote(pattern), unquote(target)
    anchored = pattern.endswith("$")
    first, *pieces = pattern.rstrip("$").split("*")
    if not target.startswith(first):
        return False
    at = len(first)
    for number, piece in enumerate(pieces):
        if anchored and number == len(pieces) - 1:
            return len(target) - len(piece) >= at and target.endswith(piece)
        found = target.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return not anchored or at == len(target)
