"""`python -m chatbot.automation`: read rules and jobs of the running platform, try a rule without effect."""

from collections.abc import AsyncIterator, Iterable
from typing import Annotated, Any
from uuid import UUID

import aiohttp
import orjson
import typer
from rich.console import Console

from chatbot.apps.boot import fail
from chatbot.cli.platform_api import ApiToken, ApiUrl, PlatformApi, run
from chatbot.cli.tables import listing, moment, show

_PAGE = "200"

app = typer.Typer(
    help="Read a tenant's rules and jobs, and try a rule without effect.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
TenantId = Annotated[UUID | None, typer.Option(help="The tenant; by default every one that the credential reaches.")]


def main() -> None:
    """Run the command line."""
    app()


@app.command()
def rules(tenant_id: TenantId = None, api_url: ApiUrl = None, api_token: ApiToken = None) -> None:
    """List rules, with what starts them and when they fire next."""
    run(_rules(PlatformApi(api_url, api_token), tenant_id))


@app.command()
def simulate(
    tenant_id: Annotated[UUID, typer.Option(help="The tenant.")],
    rule_id: Annotated[UUID | None, typer.Option(help="The rule; without one, all that an event starts.")] = None,
    days: Annotated[int | None, typer.Option(min=1, max=30, help="Against the last days; 7 when none.")] = None,
    conversation_id: Annotated[UUID | None, typer.Option(help="Against a past conversation.")] = None,
    event: Annotated[str | None, typer.Option(help="Against an event: its payload as JSON, with `name`.")] = None,
    api_url: ApiUrl = None,
    api_token: ApiToken = None,
) -> None:
    """Say what a rule would do or would have done, or which rules an event would start; nothing is done."""
    against: dict[str, Any] = {"days": days, "conversation_id": conversation_id and str(conversation_id)}
    against["event"] = _event(event) if event else None
    told = {name: value for name, value in against.items() if value is not None}
    platform = PlatformApi(api_url, api_token)
    if rule_id is not None:
        run(_simulate(platform, tenant_id, rule_id, told))
    elif told.keys() != {"event"}:
        fail("--rule-id: is needed, or --event alone to be told which rules it starts")
    else:
        run(_started(platform, tenant_id, told))


@app.command()
def jobs(
    tenant_id: TenantId = None,
    status: Annotated[str | None, typer.Option(help="pending, running, succeeded, failed or cancelled.")] = None,
    rule_id: Annotated[UUID | None, typer.Option(help="Of this rule only.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
    api_url: ApiUrl = None,
    api_token: ApiToken = None,
) -> None:
    """List the newest jobs of rules, with what came of each."""
    wanted = {"status": status, "rule_id": rule_id, "limit": limit}
    asked = {name: str(value) for name, value in wanted.items() if value is not None}
    run(_jobs(PlatformApi(api_url, api_token), tenant_id, asked))


@app.command()
def retry(job_id: UUID, api_url: ApiUrl = None, api_token: ApiToken = None) -> None:
    """Try a failed or cancelled job again, from the step at which it stopped."""
    run(_change(PlatformApi(api_url, api_token), job_id, "retry"))


@app.command()
def cancel(job_id: UUID, api_url: ApiUrl = None, api_token: ApiToken = None) -> None:
    """Cancel a job before its next step."""
    run(_change(PlatformApi(api_url, api_token), job_id, "cancel"))


async def _rules(platform: PlatformApi, tenant_id: UUID | None) -> int:
    table = listing("rule", "state", "next", "last fired", words="name, and what it starts with")
    async with platform.open() as http:
        async for tenant in _tenants(platform, http, tenant_id):
            async for rule in _pages(platform, http, "/admin/automation/rules", tenant_id=tenant):
                state = rule["state"] if not rule["paused_because"] else f"{rule['state']}: {rule['paused_because']}"
                times = moment(rule["next_fire_at"]), moment(rule["last_fired_at"])
                table.add_row(rule["id"], state, *times, f"{rule['name']}: {_starts_with(rule['trigger'])}")
    show(table)
    return 0


async def _simulate(platform: PlatformApi, tenant_id: UUID, rule_id: UUID, against: dict[str, Any]) -> int:
    async with platform.open() as http:
        rule = await platform.get(http, f"/admin/automation/rules/{rule_id}")
        if rule["tenant_id"] != str(tenant_id):
            fail(f"--rule-id: tenant {tenant_id} has no such rule")
        trial = await platform.post(http, f"/admin/automation/rules/{rule_id}/simulate", against)
    console = Console(highlight=False)
    console.print(_summary(rule["name"], trial))
    for time in trial["next_times"]:
        console.print(f"  fires at {time}")
    for tried in trial["tried"]:
        console.print(_told(tried), markup=False)
    return 0


async def _started(platform: PlatformApi, tenant_id: UUID, told: dict[str, Any]) -> int:
    async with platform.open() as http:
        trial = await platform.post(http, "/admin/automation/test", {"tenant_id": str(tenant_id), **told})
    console = Console(highlight=False)
    found = f"{trial['matched']} of {trial['considered']} rules that wait for it match, {trial['would_run']} would run"
    more = " (more than are told)" if trial["truncated"] else ""
    console.print(f"{told['event']['name']}: {found}{more}; nothing was done", markup=False)
    for rule in trial["rules"]:
        held = f", held back by {rule['held_back_by']}" if rule["held_back_by"] else ""
        rests = "" if rule["enabled"] else ", paused"
        console.print(f"{rule['rule_id']} {rule['name']}{rests}{held}", markup=False)
        for line in _inside(rule):
            console.print(line, markup=False)
    return 0


async def _jobs(platform: PlatformApi, tenant_id: UUID | None, asked: dict[str, str]) -> int:
    table = listing("job", "status", "step", "created", words="rule, and why")
    async with platform.open() as http:
        async for tenant in _tenants(platform, http, tenant_id):
            page = await platform.get(http, "/admin/automation/jobs", tenant_id=tenant, **asked)
            for job in page["items"]:
                step = f"{job['step']}/{len(job['actions'])}"
                words = f"{job['rule_name']}: {job['reason']}" if job["reason"] else job["rule_name"]
                table.add_row(job["id"], job["status"], step, moment(job["created_at"]), words)
    show(table)
    return 0


async def _change(platform: PlatformApi, job_id: UUID, how: str) -> int:
    async with platform.open() as http:
        job = await platform.post(http, f"/admin/automation/jobs/{job_id}/{how}", {})
    Console(highlight=False).print(f"{job['id']} is {job['status']}")
    return 0


async def _tenants(platform: PlatformApi, http: aiohttp.ClientSession, tenant_id: UUID | None) -> AsyncIterator[str]:
    """Yield the tenant that was named, or each one that the credential reaches."""
    if tenant_id is not None:
        yield str(tenant_id)
        return
    me = await platform.get(http, "/auth/me")
    if me["role"] == "platform_admin":
        async for tenant in _pages(platform, http, "/admin/tenants"):
            yield tenant["id"]
        return
    for found in dict.fromkeys([me["tenant_id"], *(one["tenant_id"] for one in me["memberships"])]):
        if found is not None:
            yield found


async def _pages(platform: PlatformApi, http: aiohttp.ClientSession, path: str, **params: str) -> AsyncIterator[Any]:
    cursor: dict[str, str] = {}
    while True:
        page = await platform.get(http, path, limit=_PAGE, **params, **cursor)
        for item in page["items"]:
            yield item
        if not page["next_cursor"]:
            return
        cursor = {"cursor": page["next_cursor"]}


def _event(text: str) -> dict[str, Any]:
    try:
        payload = orjson.loads(text)
        name = payload.pop("name")
    except (orjson.JSONDecodeError, AttributeError, KeyError):
        fail('--event: must be a JSON object with a `name`, such as \'{"name": "message.received"}\'')
    return {"name": name, "payload": payload}


def _starts_with(trigger: dict[str, Any]) -> str:
    if trigger["type"] == "event":
        names = trigger["name"]
        return names if isinstance(names, str) else ", ".join(names)
    if trigger["type"] == "cron":
        return f"{trigger['cron']} {trigger['timezone'] or ''}".rstrip()
    return f"{trigger['minutes']} minutes without an answer"


def _summary(name: str, trial: dict[str, Any]) -> str:
    more = " (there were more)" if trial["truncated"] else ""
    found = f"{trial['matched']} of {trial['considered']} happenings match, {trial['would_run']} would run"
    return f"{name}: {found}{more}; nothing was done"


def _told(tried: dict[str, Any]) -> str:
    return "\n".join(_lines(tried))


def _lines(tried: dict[str, Any]) -> Iterable[str]:
    held = f", held back by {tried['held_back_by']}" if tried["held_back_by"] else ""
    yield f"{'matches' if tried['matches'] else 'does not match'}{held}: {tried['event']} at {tried['at']}"
    yield from _inside(tried)


def _inside(tried: dict[str, Any]) -> Iterable[str]:
    for one in tried["comparisons"]:
        yield f"  {'+' if one['holds'] else '-'} {one['about']} {one['op']} {one['wanted']!r}: it is {one['was']!r}"
    for action in tried["actions"]:
        yield f"  > {action['type']} {orjson.dumps(action['rendered']).decode()}"
