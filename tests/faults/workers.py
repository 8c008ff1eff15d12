"""Automation workers as processes of their own: forked from one that has everything loaded, so that a kill is cheap."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Mapping
from importlib import import_module
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path

_WORKER = "chatbot.apps.automation_worker"


class Workers:
    """One worker at a time; whoever kills it gets another."""

    def __init__(self, variables: Mapping[str, str], log: Path) -> None:
        self.kills = 0
        self._variables = dict(variables)
        self._log = log
        self._context: ForkServerContext = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([_WORKER])
        self._running: BaseProcess | None = None
        self._one_by_one = threading.Lock()

    def start(self) -> None:
        """Start a worker."""
        self._running = self._context.Process(target=_work, args=(self._variables, str(self._log)), daemon=True)
        self._running.start()

    def kill(self, number: int) -> None:
        """Kill the worker that runs after so many kills with -9 and start the next; nothing where it is gone by now.

        Whoever asks may be cancelled meanwhile, for the connection ends with the worker: two may be under way at once.
        """
        with self._one_by_one:
            if number == self.kills:
                self.kills += 1
                self.stop()
                self.start()

    def stop(self) -> None:
        """End the worker without a warning."""
        if self._running and self._running.pid and self._running.is_alive():
            os.kill(self._running.pid, signal.SIGKILL)
            self._running.join()


def _work(variables: dict[str, str], log: str) -> None:
    os.environ.update(variables)
    sink = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(sink, 1)
    os.dup2(sink, 2)
    import_module(_WORKER).main()
