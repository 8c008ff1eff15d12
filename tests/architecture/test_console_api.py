"""The console's client is made from what the API says now."""

from scripts.console_api import stale_files


def test_what_the_consoles_client_is_made_from_is_current() -> None:
    stale = [path.name for path in stale_files()]
    assert not stale, f"{stale}: run `python -m scripts.console_api`, then `pnpm --prefix services/frontend client`"
