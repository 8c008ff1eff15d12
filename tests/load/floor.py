"""The same visitors against the floor of `bench/floor.py`: what the machine needs for the least that a turn can be."""

import os
import uuid
from typing import Any

from locust import events
from locust.env import Environment

from tests.load.conversation import Conversation
from tests.load.tally import Tally


@events.init.add_listener
def _judge(environment: Environment, **_: Any) -> None:
    Tally(environment, "floor", gate=False)


class Visitor(Conversation):
    """A conversation with the floor."""

    fixed_count = int(os.environ["LOAD_VISITORS"])

    def ask(self, question: str) -> None:
        """Ask, and read the stream to its end."""
        headers = {"Authorization": f"Bearer {os.environ['FLOOR_TOKEN']}", "X-Request-ID": str(uuid.uuid4())}
        body = {"message": question, "conversation_id": self.session}
        with self.client.post(
            "/v1/chat/stream", json=body, headers=headers, name="floor", catch_response=True
        ) as answer:
            if answer.status_code != 200 or "event: done" not in answer.text:
                answer.failure(f"HTTP {answer.status_code}")
