#!/usr/bin/env python3
"""Onboard a tenant on a running platform, step by step; exit 1 with the name of the step that failed.

The platform is the one on this machine, as its settings say (of the environment, of ENV_FILE, else of .env in the
checkout), or that of --api-url.
"""

import own_python  # isort: skip  # noqa: F401

import argparse
import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import aiohttp

from chatbot.core.places import DOTENV
from chatbot.core.settings import ConfigurationError, load_settings

ARTICLE = """# Returns

## How long do I have to return an order?

You can return an unused item within 30 days of delivery. The refund reaches your card within five working days.

## Who pays for the return?

Returns from within the country are free. From abroad the customer pays the postage.
"""
QUESTION = "How many days do I have to return an item?"
WAIT_SECONDS = 60


class StepFailed(Exception):
    """A step that did not go well: its name and what the platform said."""


class Onboarding:
    """The steps an operator takes for a new tenant."""

    def __init__(self, http: aiohttp.ClientSession, api_url: str) -> None:
        self._http = http
        self._api = api_url.rstrip("/")
        self._tenant: dict[str, Any] = {}
        self._source_id = ""

    async def run(self) -> None:
        """Take every step in order."""
        for step in (
            self._tenant_made,
            self._channel_made,
            self._snippet_given,
            self._knowledge_sent,
            self._knowledge_ready,
            self._question_answered,
        ):
            name = step.__name__.strip("_").replace("_", " ")
            try:
                print(f"ok      {name}: {await step()}")
            except (aiohttp.ClientError, TimeoutError, KeyError, StepFailed) as error:
                raise StepFailed(f"{name}: {error}") from error

    async def _tenant_made(self) -> str:
        body = {"name": "Onboarding demo", "timezone": "UTC", "metadata": {"plan": "demo"}}
        self._tenant = await self._call("POST", "/admin/tenants", body)
        return str(self._tenant["id"])

    async def _channel_made(self) -> str:
        body = {"tenant_id": self._tenant["id"], "channel_type": "web", "display_name": "Web Widget"}
        channel = await self._call("POST", "/admin/channels", body)
        if not channel["secret"]:
            raise StepFailed("the channel came without its secret")
        return str(channel["id"])

    async def _snippet_given(self) -> str:
        answer = await self._call("GET", f"/admin/embed_snippet/{self._tenant['id']}")
        if self._tenant["id"] not in answer["snippet"]:
            raise StepFailed(f"the snippet is not this tenant's: {answer['snippet']}")
        return str(answer["snippet"])

    async def _knowledge_sent(self) -> str:
        path = f"/v1/brands/{self._tenant['default_brand_id']}/knowledge"
        answer = await self._call("POST", path, {"title": "Returns", "content": ARTICLE, "external_id": "returns"})
        self._source_id = answer["source_id"]
        return self._source_id

    async def _knowledge_ready(self) -> str:
        path = f"/v1/brands/{self._tenant['default_brand_id']}/knowledge/{self._source_id}"
        for _ in range(WAIT_SECONDS * 2):
            source = await self._call("GET", path)
            if source["status"] == "ready":
                return f"{source['passages']} passages"
            if source["status"] == "failed":
                raise StepFailed(source["reason"])
            await asyncio.sleep(0.5)
        raise StepFailed(f"not ready after {WAIT_SECONDS} s; does an ingestion worker run?")

    async def _question_answered(self) -> str:
        key = await self._call(
            "POST", "/admin/api_keys", {"tenant_id": self._tenant["id"], "name": "onboarding", "role": "agent"}
        )
        answer = await self._call("POST", "/v1/chat", {"message": QUESTION}, bearer=key["key"])
        if not answer["citations"]:
            raise StepFailed(f"answered without a source: {answer['answer']}")
        return str(answer["answer"])

    async def _call(self, method: str, path: str, body: Any = None, bearer: str | None = None) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else None
        async with self._http.request(method, self._api + path, json=body, headers=headers) as answer:
            payload: dict[str, Any] = await answer.json(content_type=None)
            if answer.status >= 400:
                raise StepFailed(f"{method} {path} answered {answer.status}: {payload.get('detail')}")
            return payload


def _api_of_this_machine() -> str:
    settings = load_settings(Path(os.environ.get("ENV_FILE") or DOTENV))
    return f"http://127.0.0.1:{settings.orchestrator_port}"


async def _main(arguments: argparse.Namespace) -> int:
    if not arguments.api_token:
        print("failed  token: it is empty; `.venv/bin/xin token` in the checkout prints one", file=sys.stderr)
        return 1
    try:
        api_url = arguments.api_url or _api_of_this_machine()
    except ConfigurationError as error:
        print(f"failed  settings: {error}", file=sys.stderr)
        return 1
    headers = {"Authorization": f"Bearer {arguments.api_token}"}
    timeout = aiohttp.ClientTimeout(total=30)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as http:
        try:
            await Onboarding(http, api_url).run()
        except StepFailed as failure:
            print(f"failed  {failure}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--api-token", required=True, help="an admin token, as `xin token` prints")
    parser.add_argument("--api-url", help="the orchestrator's address; by default the one on this machine")
    sys.exit(asyncio.run(_main(parser.parse_args())))
