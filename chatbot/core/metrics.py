"""Prometheus metrics shared by every process; label values come from closed sets."""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import product

from prometheus_client import Counter, Gauge, Histogram

HTTP_REQUESTS = Counter("http_requests_total", "HTTP requests answered.", ["method", "route", "status_code"])
HTTP_LATENCY = Histogram(
    "http_request_latency_seconds",
    "Seconds from request to the end of the response's headers.",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.2, 1.5, 2.5, 5.0, 10.0),
)
NOT_ASKED_FOR = "/health.*|/api/health|/webhooks/health|(/api)?/metrics"
"""Routes of probes and of whoever scrapes: rates, error budgets and latencies leave them out, as the pattern says.

They are asked every few seconds, answer in a millisecond, and their 503 is no request that failed.
"""
_not_asked_for = re.compile(NOT_ASKED_FOR)


def is_asked_for(route: str) -> bool:
    """Whether a route is one that people and programs ask for an answer, not for how the process is."""
    return not _not_asked_for.fullmatch(route)


INGESTION_QUEUE_DEPTH = Gauge("ingestion_queue_depth", "Ingestion jobs that wait or run.")
INGESTION_LAG = Gauge("ingestion_lag_seconds", "Age of the oldest unfinished ingestion job.", ["tenant"])
INGESTION_IN_FLIGHT = Gauge("ingestion_in_flight", "Ingestion jobs that run now.", ["tenant"])
RETRIEVAL_SECONDS = Histogram(
    "retrieval_seconds", "Seconds of a whole retrieval.", buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0)
)
FIRST_TOKEN_SECONDS = Histogram(
    "first_token_seconds",
    "Seconds from question to the first token.",
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20),
)
SOCKETS = Gauge("live_sockets", "Open sockets of web chat.")
SOCKETS_CLOSED = Counter("live_sockets_closed_total", "Sockets of web chat that were closed, by close code.", ["code"])
REFUSALS = Counter("refusals_total", "Questions that got no answer, by why.", ["reason"])
HANDOFF_WAITING = Gauge("handoff_waiting", "Conversations that wait for a person.")
HANDOFF_OLDEST = Gauge("handoff_oldest_wait_seconds", "How long the one that waits longest has waited for a person.")
HANDOFF_WAIT = Histogram(
    "handoff_wait_seconds",
    "Seconds from the wish for a person to a person.",
    buckets=(1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 14400),
)
TURNS = Counter("turns_total", "Turns finished, by how they were answered.", ["mode"])
TURN_OUTCOMES = ("answered", "interrupted", "withdrawn", "failed")
"""How a turn ends: its reply was sent; its reader left or its process ended; a person took over; it broke."""

TURN_SECONDS = Histogram(
    "chat_turn_duration_seconds",
    "Seconds from a message's being accepted to the end of its reply, streamed or not, or to its failure.",
    ["channel_type", "outcome"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 1.5, 2.5, 5, 10, 20, 30, 60),
)
LLM_CIRCUIT = Gauge("llm_circuit_state", "0 closed, 1 half open, 2 open.", ["model"])
LLM_REQUESTS = Counter("llm_requests_total", "Model calls, by outcome.", ["purpose", "outcome"])
LLM_TOKENS = Counter("llm_tokens_total", "Tokens used.", ["tenant", "direction"])
LLM_COST = Counter("llm_cost_usd_total", "Money spent on models.", ["tenant"])
CHANNEL_REQUESTS = Counter("channel_requests_total", "Requests of providers, by outcome.", ["channel_type", "outcome"])
CHANNEL_EVENTS = Counter("channel_events_total", "Events of providers, by kind.", ["channel_type", "kind"])
BOTS = Gauge("bots", "Listening bots of this process, by state.", ["channel_type", "state"])
BOT_RATE_LIMITED = Counter(
    "bot_rate_limited_total", "Refusals of too many requests to listening bots.", ["channel_type"]
)
BOT_LAG = Histogram(
    "bot_update_lag_seconds",
    "Seconds from the provider's time of an update to its being stored.",
    ["channel_type"],
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600),
)
CHANNELS_TESTED = Gauge("channels_tested", "Channels by what their last test found.", ["channel_type", "verdict"])
DELIVERIES = Counter("deliveries_total", "Tries to tell a provider something.", ["channel_type", "outcome"])
DELIVERY_SECONDS = Histogram(
    "delivery_seconds",
    "Seconds of one call to a provider.",
    ["channel_type"],
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
OUTBOX_DEPTH = Gauge("outbox_depth", "Deliveries that wait or are dead letters.", ["status"])
AUTOMATION_FIRINGS = Counter(
    "automation_firings_total", "Rules that a happening starts, or what held them back.", ["outcome"]
)
AUTOMATION_JOBS = Counter("automation_jobs_total", "Jobs of rules that ended, by how.", ["status"])
AUTOMATION_FAILURES = Counter("automation_failures_total", "Jobs of rules that failed for good.")
AUTOMATION_DEPTH = Gauge("automation_queue_depth", "Jobs of rules that wait or run.")
AUTOMATION_LAG = Gauge("automation_lag_seconds", "Age of the oldest job of a rule that is due.")

QUEUE_JOBS = Gauge("queue_jobs", "Jobs of a queue.", ["queue", "status"])
QUEUE_OLDEST = Gauge("queue_oldest_seconds", "Age of the oldest job that is due.", ["queue"])
DATABASE_UP = Gauge("database_up", "Whether the database answers: 1 or 0.")
DATABASE_BYTES = Gauge("database_size_bytes", "How much room the database takes.")
DATABASE_CONNECTIONS = Gauge("database_connections", "Connections to the database server.")
DATABASE_MOST_CONNECTIONS = Gauge("database_max_connections", "As many connections as the server takes.")
DATABASE_DEADLOCKS = Gauge("database_deadlocks", "Deadlocks since the database's statistics began.")
DATABASE_ROLLBACKS = Gauge("database_rollbacks", "Transactions rolled back since then.")
DATABASE_CACHE_HITS = Gauge("database_cache_hit_ratio", "Part of pages that were in memory since then: 0 to 1.")
DISK_FREE = Gauge("disk_free_ratio", "Free part of the fullest disk that this process writes to: 0 to 1.")
INODES_FREE = Gauge("disk_free_inodes_ratio", "Free part of the inodes of such a disk, at the least: 0 to 1.")
MEMORY_USED = Gauge("memory_used_ratio", "Used part of what this process's container or machine has: 0 to 1.")

_BAD = ("failed", "refused", "dead")

_MAX_TENANT_LABELS = 200
_tenants_seen: set[str] = set()


def tenant_label(tenant_id: object) -> str:
    """Return a tenant's label value; past the first 200 tenants of a process, `other`."""
    value = str(tenant_id)
    if value not in _tenants_seen and len(_tenants_seen) >= _MAX_TENANT_LABELS:
        return "other"
    _tenants_seen.add(value)
    return value


@cache
def requests_counter(method: str, route: str, status_class: str) -> Counter:
    """Return the counter of a route's answers of a class (`2xx`); its errors begin with it, see `begin_at_zero`."""
    HTTP_REQUESTS.labels(method, route, "5xx")
    return HTTP_REQUESTS.labels(method, route, status_class)


@cache
def deliveries_counter(channel_type: str, outcome: str) -> Counter:
    """Return the counter of a channel type's tries of an outcome; as above, the bad ones begin with it."""
    for bad in _BAD:
        DELIVERIES.labels(channel_type, bad)
    return DELIVERIES.labels(channel_type, outcome)


@cache
def turn_durations(channel_type: str) -> Mapping[str, Histogram]:
    """Return the histograms of a channel type's turns by outcome: all of them are there before its first turn ends."""
    return {outcome: TURN_SECONDS.labels(channel_type, outcome) for outcome in TURN_OUTCOMES}


def begin_at_zero(counter: Counter, *labels: Iterable[str]) -> None:
    """Show every combination of labels before it is first counted.

    A series that begins with the fault it counts has not grown for Prometheus until it is counted again: the first
    failures, all of them where they come between two looks, are in no `rate`, and no alert hears of them.
    """
    for values in product(*labels):
        counter.labels(*values)
