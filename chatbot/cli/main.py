"""The `xin` command: every process and every operator's command under one name.

A subcommand's room is imported only when it is called: `xin token` must not load the platform.
"""

import asyncio
from importlib import import_module
from typing import Annotated
from uuid import UUID

import typer

from chatbot.apps.boot import fail, failing_in_words, ready_database
from chatbot.cli import doctor as self_check
from chatbot.core.settings import ConfigurationError, Settings, load_settings
from chatbot.identity.cli_token import mint
from chatbot.identity.subject import Role

app = typer.Typer(
    name="xin",
    help="Xin: support chat from a tenant's own knowledge.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

_PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True}
"""A subcommand with options of its own is parsed by its own file."""


def main() -> None:
    """Run the command line."""
    app()


def _settings() -> Settings:
    try:
        return load_settings()
    except ConfigurationError as error:
        fail(str(error))


@app.command()
def run() -> None:
    """Start everything in this process: API, workers and the bundled PostgreSQL."""
    import_module("chatbot.apps.all_in_one").main()


@app.command()
def orchestrator() -> None:
    """Start the orchestrator alone (port 8000)."""
    import_module("chatbot.apps.orchestrator").main()


@app.command()
def gateway() -> None:
    """Start a channel gateway alone (port 8080, metrics on port 9102)."""
    import_module("chatbot.apps.gateway").main()


@app.command("ingestion-worker")
def ingestion_worker() -> None:
    """Start an ingestion worker alone (metrics on port 9103)."""
    import_module("chatbot.apps.ingestion_worker").main()


@app.command("bot-manager")
def bot_manager() -> None:
    """Start a bot manager alone (metrics and health on port 9105)."""
    import_module("chatbot.apps.bot_manager").main()


@app.command(context_settings=_PASSED_ON, add_help_option=False)
def ingest(context: typer.Context) -> None:
    """Upload files or folders as a tenant's knowledge, and see what became of each."""
    import_module("chatbot.cli.ingest").app(context.args, prog_name="xin ingest")


@app.command("retrieval", context_settings=_PASSED_ON, add_help_option=False)
def debug_retrieval(context: typer.Context) -> None:
    """Show what a question finds, stage by stage."""
    import_module("chatbot.cli.debug_retrieval").app(context.args, prog_name="xin retrieval")


@app.command(context_settings=_PASSED_ON, add_help_option=False)
def chat(context: typer.Context) -> None:
    """Talk to a tenant's bot in the terminal."""
    import_module("chatbot.cli.chat").app(context.args, prog_name="xin chat")


@app.command()
def migrate() -> None:
    """Create the roles and bring the database to the newest schema."""
    with failing_in_words(), ready_database(_settings()):
        typer.echo("the database is at the newest schema")


@app.command()
def token(
    role: Annotated[Role, typer.Option(help="The role the token carries.")] = Role.PLATFORM_ADMIN,
    tenant_id: Annotated[UUID | None, typer.Option(help="The tenant, for every role but platform_admin.")] = None,
) -> None:
    """Print an admin token for the platform on this machine."""
    with failing_in_words():
        typer.echo(mint(_settings(), role, tenant_id))


@app.command()
def doctor() -> None:
    """Say in words what is wrong here, and what to do."""
    raise SystemExit(0 if asyncio.run(self_check.examine(_settings())) else 1)
