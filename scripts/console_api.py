"""Write what the console's client is made from: the OpenAPI document, what each channel asks for, a rule's words.

With `--check` nothing is written: it says which file is not current.
"""

import json
import sys
from pathlib import Path
from typing import Any

from chatbot.apps.api import api_document
from chatbot.automation.catalogue import EVENTS
from chatbot.automation.rules.actions import ACTION_TYPES, WITHOUT_CONVERSATION
from chatbot.automation.rules.facts import FIELDS
from chatbot.channels.registry import PROVIDERS
from scripts.generated import keep_current

FOLDER = Path(__file__).parents[1] / "services/frontend/api"


def main() -> int:
    """Write the files, or say which are not current (exit 1)."""
    return keep_current(__doc__, stale_files(), "`python -m scripts.console_api`, then `pnpm client`")


def stale_files() -> dict[Path, str]:
    """Return each file that is not as the code says, with what belongs in it."""
    wanted = {
        FOLDER / "openapi.json": _json(api_document()),
        FOLDER / "channels.json": _json({name: _asked(name) for name in PROVIDERS}),
        FOLDER / "automation.json": _json(_rule_words()),
    }
    return {path: text for path, text in wanted.items() if not path.exists() or path.read_text() != text}


def _rule_words() -> dict[str, Any]:
    """Return what rules are made of, so that the editor has a name in each language for all of it."""
    return {
        "events": {name: list(EVENTS[name].payload) for name in EVENTS},
        "fields": dict(FIELDS),
        "actions": list(ACTION_TYPES),
        "without_conversation": sorted(WITHOUT_CONVERSATION),
    }


def _asked(channel_type: str) -> list[dict[str, Any]]:
    """Return a provider's credentials as fields of a form, in the order in which they are declared."""
    schema = PROVIDERS[channel_type].credentials.model_json_schema()
    required = schema.get("required", [])
    return [_field(name, each, schema, name in required) for name, each in schema.get("properties", {}).items()]


def _field(name: str, declared: dict[str, Any], schema: dict[str, Any], required: bool) -> dict[str, Any]:
    choices = [each for each in declared.get("anyOf", [declared]) if each.get("type") != "null"]
    form = {**declared, **_resolved(choices[0], schema)}
    return {
        "name": name,
        "type": form.get("type", "string"),
        "secret": form.get("format") == "password",
        "required": required or form.get("needed", False),
        "options": form.get("enum"),
        "default": form.get("default"),
        "description": form.get("description", ""),
        "only_with": form.get("only_with"),
    }


def _resolved(part: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in part:
        return part
    resolved: dict[str, Any] = schema["$defs"][part["$ref"].rsplit("/", 1)[-1]]
    return resolved


def _json(content: Any) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(main())
