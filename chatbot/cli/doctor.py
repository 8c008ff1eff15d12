"""`xin doctor`: look at each thing that the platform needs, and say what is wrong and what to do."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from rich.console import Console

from chatbot.apps.boot import ready_database
from chatbot.cli.doctor_database import database_checks
from chatbot.cli.doctor_machine import machine_checks
from chatbot.cli.doctor_peers import peer_checks
from chatbot.cli.trouble import Absent, Trouble
from chatbot.core.errors import XinError
from chatbot.core.logging import configure_logging
from chatbot.core.settings import ConfigurationError, Settings
from chatbot.db.sessions import Database

Check = Callable[[], Awaitable[str]]


async def examine(settings: Settings) -> bool:
    """Print a line per check; return whether all is well."""
    configure_logging("ERROR", process="doctor")
    console = Console(soft_wrap=True, highlight=False)
    well = await _look(console, machine_checks(settings))
    well &= await asyncio.to_thread(_with_database, settings, console)
    return await _look(console, peer_checks(settings)) and well


def _with_database(settings: Settings, console: Console) -> bool:
    """The checks that need the database, which is started when it does not run."""

    async def look(url: str) -> bool:
        async with Database(url, pool_size=1) as database:
            return await _look(console, database_checks(database, settings))

    try:
        with ready_database(settings) as url:
            return asyncio.run(look(url))
    except (XinError, ConfigurationError, OSError) as error:
        console.print(f"[red]wrong[/] database: {error}")
        return False


async def _look(console: Console, checks: Mapping[str, Check]) -> bool:
    well = True
    for name, check in checks.items():
        try:
            console.print(f"[green]ok[/]    {name}: {await check()}")
        except Absent as absent:
            console.print(f"[yellow]note[/]  {name}: {absent}")
        except (Trouble, XinError, ConfigurationError, OSError) as trouble:
            console.print(f"[red]wrong[/] {name}: {trouble}")
            well = False
    return well
