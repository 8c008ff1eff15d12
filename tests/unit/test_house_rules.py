"""Each house lint finds what it is for, and lets the right thing pass."""

from pathlib import PurePosixPath

import pytest

from scripts.house.rules import RULES, check

BROKEN = {
    "commits_only_in_sessions": ("chatbot/x/service.py", "async def f(session):\n    await session.commit()\n"),
    "environment_only_in_settings": ("chatbot/x/service.py", "import os\nA = os.environ['A']\n"),
    "queries_only_in_repositories": ("chatbot/x/service.py", "from sqlalchemy import select\nQ = select(1)\n"),
    "clock_only_in_clock": ("chatbot/x/service.py", "from datetime import datetime\nN = datetime.now()\n"),
    "imports_at_the_top": ("chatbot/x/service.py", "def f():\n    import json\n"),
    "raw_clients_only_where_named": ("chatbot/x/service.py", "import aiohttp\nS = aiohttp.ClientSession()\n"),
    "status_only_in_error_classes": ("chatbot/x/service.py", "def f():\n    raise HTTPException(404)\n"),
    "says_what_it_is": ("chatbot/x/service.py", "A = 1\n"),
    "nothing_for_later": ("chatbot/x/service.py", "A = 1  # TO" + "DO\n"),
    "short_files": ("chatbot/x/service.py", "A = 1\n" * 401),
    "short_functions": ("chatbot/x/service.py", "def f():\n" + "    a = 1\n" * 61),
    "forms_have_words": ("chatbot/x/schemas.py", "Code = Annotated[str, StringConstraints(pattern='^[0-9]$')]\n"),
}

KEPT = {
    "commits_only_in_sessions": ("chatbot/db/sessions.py", BROKEN["commits_only_in_sessions"][1]),
    "environment_only_in_settings": ("chatbot/core/settings.py", BROKEN["environment_only_in_settings"][1]),
    "queries_only_in_repositories": ("chatbot/x/repository.py", BROKEN["queries_only_in_repositories"][1]),
    "clock_only_in_clock": ("chatbot/core/clock.py", BROKEN["clock_only_in_clock"][1]),
    "imports_at_the_top": ("chatbot/x/service.py", "import json\n"),
    "raw_clients_only_where_named": ("chatbot/llm/client.py", BROKEN["raw_clients_only_where_named"][1]),
    "status_only_in_error_classes": ("chatbot/x/errors.py", "class Gone(Exception):\n    status = 410\n"),
    "says_what_it_is": ("chatbot/x/service.py", '"""What it is."""\n'),
    "nothing_for_later": ("chatbot/x/service.py", "A = 1\n"),
    "short_files": ("chatbot/x/service.py", "A = 1\n" * 400),
    "short_functions": ("chatbot/x/service.py", "def f():\n" + "    a = 1\n" * 59),
    "forms_have_words": ("chatbot/x/schemas.py", "Code = Annotated[str, Like('^[0-9]$', 'a digit')]\n"),
}


@pytest.mark.parametrize("rule", [rule.__name__ for rule in RULES])
def test_a_broken_rule_is_found(rule: str) -> None:
    path, text = BROKEN[rule]
    assert rule in {finding.rule for finding in check(PurePosixPath(path), text)}


@pytest.mark.parametrize("rule", [rule.__name__ for rule in RULES])
def test_a_kept_rule_is_not_reported(rule: str) -> None:
    path, text = KEPT[rule]
    assert rule not in {finding.rule for finding in check(PurePosixPath(path), text)}
