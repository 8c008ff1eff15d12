"""On whose account embeddings are: whoever embeds for a tenant says so around the call, however deep it is made."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from chatbot.llm.budgets import Ledger

_account: ContextVar[Ledger | None] = ContextVar("account", default=None)


@contextmanager
def on_account(ledger: Ledger) -> Iterator[Ledger]:
    """Have what is embedded in the block entered into a ledger."""
    token = _account.set(ledger)
    try:
        yield ledger
    finally:
        _account.reset(token)


def account() -> Ledger | None:
    """Return the ledger of whoever embeds now; None: nobody's."""
    return _account.get()
