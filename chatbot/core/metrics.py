"""Prometheus metrics shared by every process; label values come from closed sets."""

from prometheus_client import REGISTRY, Counter, Gauge, Histogram, start_http_server

from chatbot.core.logging import get_logger

log = get_logger(__name__)

HTTP_REQUESTS = Counter("http_requests_total", "HTTP requests answered.", ["method", "route", "status_code"])
HTTP_LATENCY = Histogram(
    "http_request_latency_seconds",
    "Seconds from request to the end of the response's headers.",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.2, 1.5, 2.5, 5.0, 10.0),
)
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
TURNS = Counter("turns_total", "Turns finished, by how they were answered.", ["mode"])
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

_MAX_TENANT_LABELS = 200
_tenants_seen: set[str] = set()


def tenant_label(tenant_id: object) -> str:
    """Return a tenant's label value; past the first 200 tenants of a process, `other`."""
    value = str(tenant_id)
    if value not in _tenants_seen and len(_tenants_seen) >= _MAX_TENANT_LABELS:
        return "other"
    _tenants_seen.add(value)
    return value


def start_metrics_server(host: str, port: int, *, variable: str) -> bool:
    """Serve `/metrics` on its own port; a taken port is logged and the process goes on.

    Returns:
        Whether the port was bound by this call.
    """
    try:
        start_http_server(port, addr=host, registry=REGISTRY)
    except OSError as error:
        log.warning("metrics port not available; going on without it", variable=variable, port=port, reason=str(error))
        return False
    return True
