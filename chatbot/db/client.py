"""PostgreSQL's own client on the platform's database, for whoever has to look at rows."""

import subprocess
import tempfile

from chatbot.db.dump import program, reader_url
from chatbot.db.roles import conninfo


def run_client(database_url: str, arguments: list[str]) -> int:
    """Run the bundled `psql` as a role that sees every row, and return its exit code: not 0 when a statement failed.

    The password goes by a file that only we can read, never in an argument, which others see.
    """
    url = reader_url(database_url)
    with tempfile.NamedTemporaryFile("w", prefix="xin-pgpass-") as passwords:
        password = (url.password or "").replace("\\", r"\\").replace(":", r"\:")
        passwords.write(f"*:*:*:*:{password}\n")
        passwords.flush()
        address = conninfo(url.set(password=None).update_query_dict({"passfile": passwords.name}))
        command = [program("psql"), f"--dbname={address}", "--set=ON_ERROR_STOP=1", *arguments]
        return subprocess.run(command, check=False).returncode  # noqa: S603 - our own
