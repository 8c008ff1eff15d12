"""The signature cases of Standard Webhooks and of GitHub."""

import json
from pathlib import Path

import pytest

from chatbot.channels.providers.webhook import WEBHOOK, WebhookCredentials
from tests.contract.channels.signed import accepted
from tests.unit.channels.peer import account, posted


@pytest.mark.parametrize("name", ["signature.json", "signature_github_style.json"])
def test_signature_cases(shared_dir: Path, name: str) -> None:
    file = shared_dir / "channels" / "vectors" / "generic_hmac" / name
    cases = json.loads(file.read_text())["vectors"]
    assert {case["valid"] for case in cases} == {True, False}
    for case in cases:
        request = posted(case["body"].encode(), **case["headers"])
        here = account(WebhookCredentials(webhook_url="https://example.com/in"), case["secret"])
        assert accepted(WEBHOOK, here, request, case.get("now", 0)) == case["valid"], case
