"""The rules, each a function over one parsed file that yields the lines that break it."""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import PurePosixPath

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
_ENVIRONMENT = {"environ", "getenv"}
_MIGRATIONS = "chatbot/db/migrations/versions/*"


@dataclass(frozen=True, slots=True)
class Source:
    """One file: its path from the repository's root, its text and its tree."""

    path: PurePosixPath
    text: str
    tree: ast.Module

    def within(self, *patterns: str) -> bool:
        """Whether the path matches one of the patterns."""
        return any(fnmatch(str(self.path), pattern) for pattern in patterns)


@dataclass(frozen=True, slots=True)
class Finding:
    """A broken rule at a line."""

    path: PurePosixPath
    line: int
    rule: str
    message: str


Hit = tuple[int, str]
Rule = Callable[[Source], Iterator[Hit]]


def commits_only_in_sessions(source: Source) -> Iterator[Hit]:
    """One request or task is one transaction, and `db/sessions.py` ends it."""
    if source.within("chatbot/db/*"):
        return
    for call in _calls(source.tree):
        if isinstance(call.func, ast.Attribute) and call.func.attr == "commit":
            yield call.lineno, "commits; only db/sessions.py does"


def environment_only_in_settings(source: Source) -> Iterator[Hit]:
    """Settings are read once, in one place."""
    if source.within("chatbot/core/settings.py"):
        return
    for node in ast.walk(source.tree):
        read = isinstance(node, ast.Attribute) and _name(node.value) == "os" and node.attr in _ENVIRONMENT
        taken = isinstance(node, ast.ImportFrom) and node.module == "os" and {n.name for n in node.names} & _ENVIRONMENT
        if read or taken:
            yield node.lineno, "reads the environment; only core/settings.py does"


def queries_only_in_repositories(source: Source) -> Iterator[Hit]:
    """SQL stands in a room's repository, in the indexes, or in db and jobs."""
    if source.within(
        "chatbot/db/*", "chatbot/jobs/*", "*/repository.py", "*/*_repository.py", "chatbot/knowledge/index/*"
    ):
        return
    builders = {"select", "insert", "update", "delete", "text"}
    imported = {
        alias.asname or alias.name
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sqlalchemy")
        for alias in node.names
        if alias.name in builders
    }
    for call in _calls(source.tree):
        if isinstance(call.func, ast.Name) and call.func.id in imported:
            yield call.lineno, f"builds SQL with {call.func.id}(); that belongs into repository.py"


def clock_only_in_clock(source: Source) -> Iterator[Hit]:
    """The wall clock is read in one place, always aware."""
    if source.within("chatbot/core/clock.py"):
        return
    for call in _calls(source.tree):
        if not isinstance(call.func, ast.Attribute):
            continue
        if call.func.attr in {"utcnow", "today"} or (call.func.attr == "now" and _name(call.func.value) == "datetime"):
            yield call.lineno, "reads the wall clock; use core.clock.utcnow()"


def imports_at_the_top(source: Source) -> Iterator[Hit]:
    """An import inside a function hides a circle; heavy libraries go through `import_module` with a reason."""
    for function in _functions(source.tree):
        for node in ast.walk(function):
            if isinstance(node, ast.Import | ast.ImportFrom):
                yield node.lineno, "imports inside a function"


def raw_clients_only_where_named(source: Source) -> Iterator[Hit]:
    """An address that a user gave is fetched by core/safe_http.py only."""
    allowed = ("chatbot/core/safe_http.py", "chatbot/core/blobs.py", "chatbot/llm/*", "chatbot/cli/*",
               "chatbot/dialogue/remote.py",
               "chatbot/channels/providers/*", "chatbot/knowledge/index/*")  # fmt: skip
    if source.within(*allowed):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and node.attr in {"ClientSession", "AsyncClient", "urlopen"}:
            yield node.lineno, f"opens a raw HTTP client ({node.attr})"
        if isinstance(node, ast.ImportFrom | ast.Import) and _imports(node) & {"requests", "httpx", "urllib.request"}:
            yield node.lineno, "imports a raw HTTP client"


def status_only_in_error_classes(source: Source) -> Iterator[Hit]:
    """A status code is named once, in its error class; nobody raises the framework's exception."""
    if source.within("chatbot/core/web.py"):
        return
    for call in _calls(source.tree):
        if _name(call.func) == "HTTPException":
            yield call.lineno, "raises HTTPException; use an error class with its status"


def says_what_it_is(source: Source) -> Iterator[Hit]:
    """A file's first line sums it up."""
    if not ast.get_docstring(source.tree):
        yield 1, "has no first line that sums it up"


def nothing_for_later(source: Source) -> Iterator[Hit]:
    """Nothing is kept for later."""
    for number, line in enumerate(source.text.splitlines(), start=1):
        if re.search(r"\b(TODO|FIXME|XXX|HACK)\b|NotImplementedError", line):
            yield number, "is left for later"


def short_files(source: Source) -> Iterator[Hit]:
    """A file is a reader's screenful or ten; a migration is as long as the tables it makes."""
    if source.within(_MIGRATIONS):
        return
    lines = source.text.count("\n")
    if lines > MAX_FILE_LINES:
        yield lines, f"has {lines} lines; {MAX_FILE_LINES} are the most"


def short_functions(source: Source) -> Iterator[Hit]:
    """A function does one thing at one level; a migration makes one table after the other."""
    if source.within(_MIGRATIONS):
        return
    for function in _functions(source.tree):
        length = (function.end_lineno or function.lineno) - function.lineno + 1
        if length > MAX_FUNCTION_LINES:
            yield function.lineno, f"{function.name} has {length} lines; {MAX_FUNCTION_LINES} are the most"


def forms_have_words(source: Source) -> Iterator[Hit]:
    """A pattern says nothing to whoever errs: the form of a text is a `Like`, which brings words."""
    for call in _calls(source.tree):
        if _name(call.func) in {"Field", "StringConstraints"} and any(word.arg == "pattern" for word in call.keywords):
            yield call.lineno, "asks for a pattern without words; core/schemas.py has Like"


RULES: tuple[Rule, ...] = (
    commits_only_in_sessions,
    environment_only_in_settings,
    queries_only_in_repositories,
    clock_only_in_clock,
    imports_at_the_top,
    raw_clients_only_where_named,
    status_only_in_error_classes,
    says_what_it_is,
    nothing_for_later,
    short_files,
    short_functions,
    forms_have_words,
)


def check(path: PurePosixPath, text: str) -> list[Finding]:
    """Run every rule over one file of `chatbot/`."""
    source = Source(path, text, ast.parse(text))
    return [Finding(path, line, rule.__name__, message) for rule in RULES for line, message in rule(source)]


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _imports(node: ast.Import | ast.ImportFrom) -> set[str]:
    if isinstance(node, ast.ImportFrom):
        return {node.module or ""}
    return {alias.name for alias in node.names}
