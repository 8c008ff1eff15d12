"""The `xin` command: every process and every operator's command under one name.

A subcommand's room is imported only when it is called: `xin token` must not load the platform.
"""

import asyncio
from importlib import import_module
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from chatbot.apps.boot import fail, failing_in_words, of_a_platform, ready_database, running_database
from chatbot.cli import doctor as self_check
from chatbot.core.logging import configure_logging
from chatbot.core.places import DOTENV
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

audit = typer.Typer(help="The audit log.", no_args_is_help=True)
app.add_typer(audit, name="audit")

_PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True}
"""A subcommand with options of its own is parsed by its own file."""


def main() -> None:
    """Run the command line."""
    app()


def _settings(env_file: Path | None = None) -> Settings:
    try:
        return load_settings(env_file or DOTENV)
    except ConfigurationError as error:
        fail(str(error))


def _platform(env_file: Path | None = None) -> Settings:
    try:
        return of_a_platform(_settings(env_file))
    except ConfigurationError as error:
        fail(str(error))


def _data(command: str, context: typer.Context) -> None:
    import_module("chatbot.cli.data").app([command, *context.args], prog_name="xin")


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


@app.command("automation-worker")
def automation_worker() -> None:
    """Start an automation worker alone (metrics on port 9104)."""
    import_module("chatbot.apps.automation_worker").main()


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


@app.command(context_settings=_PASSED_ON, add_help_option=False)
def backup(context: typer.Context) -> None:
    """Make, list, verify and restore backups; rehearse it all."""
    import_module("chatbot.cli.backup").app(context.args, prog_name="xin backup")


@app.command(context_settings=_PASSED_ON, add_help_option=False)
def rotate(context: typer.Context) -> None:
    """Give secrets their successors: keys, channel secrets, API keys."""
    import_module("chatbot.cli.rotate").app(context.args, prog_name="xin rotate")


@app.command(context_settings=_PASSED_ON, add_help_option=False)
def automation(context: typer.Context) -> None:
    """Read rules and jobs; try a rule without effect."""
    import_module("chatbot.cli.automation").app(context.args, prog_name="xin automation")


@app.command(context_settings=_PASSED_ON, add_help_option=False)
def erase(context: typer.Context) -> None:
    """Erase a visitor everywhere, and print the receipt."""
    _data("erase", context)


@app.command(context_settings=_PASSED_ON, add_help_option=False)
def retention(context: typer.Context) -> None:
    """Remove what is older than tenants' policies let it be; `--dry-run` counts."""
    _data("retention", context)


@app.command(context_settings=_PASSED_ON, add_help_option=False)
def decommission(context: typer.Context) -> None:
    """Take a tenant out of service, and print the receipt."""
    _data("decommission", context)


@app.command("restore-record", context_settings=_PASSED_ON, add_help_option=False)
def restore_record(context: typer.Context) -> None:
    """Bring back a tenant, a person, a channel, a rule or a webhook that was deleted."""
    _data("restore", context)


@app.command(context_settings=_PASSED_ON, add_help_option=False)
def export(context: typer.Context) -> None:
    """Write a tenant's conversations, messages, tickets or events to a file."""
    _data("export", context)


@app.command()
def migrate() -> None:
    """Create the roles and bring the database to the newest schema."""
    settings = _settings()
    configure_logging("WARNING", process="migrate")
    with failing_in_words(), ready_database(settings):
        typer.echo("the database is at the newest schema")


@app.command()
def maintain(
    env_file: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Settings of the platform; `.env` without it.")
    ] = None,
) -> None:
    """Tidy the database while it serves: vacuum, statistics, and every index made anew, one at a time."""
    settings = _platform(env_file)
    configure_logging("WARNING", process="maintain")
    tidy = import_module("chatbot.db.maintenance").tidy
    with failing_in_words(), ready_database(settings) as database_url:
        report = tidy(database_url)
    typer.echo(
        f"vacuumed and analysed in {report.vacuum_seconds:.1f} s, indexes made anew in {report.reindex_seconds:.1f} s"
    )
    typer.echo(f"the database takes {report.bytes_after / 1e6:.0f} MB ({report.bytes_before / 1e6:.0f} MB before)")


@app.command(context_settings=_PASSED_ON, add_help_option=False)
def psql(context: typer.Context) -> None:
    """Look at rows: PostgreSQL's client on the platform's database, such as `xin psql -c "SELECT version()"`."""
    settings = _platform()
    configure_logging("WARNING", process="psql")
    run_client = import_module("chatbot.db.client").run_client
    with failing_in_words(), running_database(settings) as url:
        raise SystemExit(run_client(url, context.args))


@app.command()
def token(
    role: Annotated[Role, typer.Option(help="The role the token carries.")] = Role.PLATFORM_ADMIN,
    tenant_id: Annotated[UUID | None, typer.Option(help="The tenant, for every role but platform_admin.")] = None,
) -> None:
    """Print an admin token for the platform on this machine."""
    with failing_in_words():
        typer.echo(mint(_settings(), role, tenant_id))


@audit.command("verify")
def audit_verify(
    tenant_id: Annotated[UUID | None, typer.Option(help="One tenant's chain; without it, every chain.")] = None,
) -> None:
    """Compute the audit log's hashes anew; exits with 1 when a row was changed, added or taken out."""
    configure_logging("WARNING", process="audit")
    verify = import_module("chatbot.cli.audit").verify
    with failing_in_words(), ready_database(_platform()) as database_url:
        raise SystemExit(0 if asyncio.run(verify(database_url, tenant_id)) else 1)


@app.command()
def doctor() -> None:
    """Say in words what is wrong here, and what to do."""
    raise SystemExit(0 if asyncio.run(self_check.examine(_platform())) else 1)
