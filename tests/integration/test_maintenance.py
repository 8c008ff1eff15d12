"""The database is tidied while it serves, and says plainly when it cannot be."""

import pytest

from chatbot.core.ids import new_id
from chatbot.db.bootstrap import DatabaseNotUsable
from chatbot.db.maintenance import tidy
from chatbot.db.sessions import Database
from tests.conftest import make_tenant


async def test_indexes_are_made_anew_and_rows_stay(database: Database, database_url: str) -> None:
    await make_tenant(database, str(new_id()))
    done = tidy(database_url)
    assert done.bytes_after > 1_000_000
    await make_tenant(database, str(new_id()))


def test_a_database_that_does_not_answer_is_named() -> None:
    with pytest.raises(DatabaseNotUsable, match="DATABASE_URL"):
        tidy("postgresql://nobody:nothing@127.0.0.1:9/xin")
