"""The shape of the load: a visitor who asks, reads, asks again, and after some turns begins another conversation."""

import os
import random
import uuid
from typing import ClassVar

from locust import HttpUser, between, task

TURNS = int(os.environ.get("LOAD_TURNS") or 4)
"""Questions of one conversation."""

_READS = (float(os.environ.get("LOAD_PAUSE_MIN") or 2), float(os.environ.get("LOAD_PAUSE_MAX") or 6))
"""Seconds in which a visitor reads the answer and types the next question."""

QUESTIONS = (
    "When is the shop open?",
    "How long does delivery take?",
    "What does delivery cost?",
    "Can I return an item that I have opened?",
    "How do I change the address of my order?",
    "Which ways of paying do you accept?",
    "How long is the guarantee on a lamp?",
    "Where can I see my invoices?",
)


class Conversation(HttpUser):
    """A visitor; subclasses say how a question is put."""

    abstract = True
    wait_time = between(*_READS)
    network_timeout = connection_timeout = 30.0
    chance: ClassVar[random.Random] = random.Random(7)

    def on_start(self) -> None:
        """Begin the first conversation."""
        self._asked = 0
        self.session = str(uuid.uuid4())

    @task
    def turn(self) -> None:
        """Ask once."""
        if self._asked == TURNS:
            self.on_start()
        self._asked += 1
        self.ask(self.chance.choice(QUESTIONS))

    def ask(self, question: str) -> None:
        """Put a question and wait for the whole answer."""
        raise NotImplementedError
