"""Distributed tracing: OTLP over HTTP when an endpoint is configured, else nothing is loaded and nothing is paid.

A trace is named by the correlation id: its UUID without dashes (of another text, a hash). So whatever carries the
correlation id, a log line, a job, a delivery's row, leads to the trace, and what happens in a job minutes later, or in
another process after a restart, joins the trace of the request that asked for it, with no column of its own.
"""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from typing import Any
from uuid import UUID

from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, TraceFlags

from chatbot.core import correlation
from chatbot.core.logging import get_logger
from chatbot.core.settings import load_settings

log = get_logger(__name__)
tracer = trace.get_tracer("xin")

TRACEPARENT = "traceparent"
_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_next_root: ContextVar[SpanContext | None] = ContextVar("next_root", default=None)
_state = {"active": False}


def init_tracing(service: str | None = None, *, endpoint: str | None = None, headers: str | None = None) -> bool:
    """Start exporting spans, or say that tracing is off. Operators look for these four log lines.

    Called bare it takes `OTEL_EXPORTER_ENDPOINT` and `OTEL_EXPORTER_HEADERS` of the settings, for the service `xin`.

    Args:
        service: `service.name` of the spans.
        endpoint: an OTLP/HTTP traces address, such as `http://otel-collector:4318/v1/traces`.
        headers: `key=value` pairs, comma-delimited.

    Returns:
        Whether spans are exported.

    Raises:
        ConfigurationError: it was called bare, and a setting is bad.
    """
    if service is None and endpoint is None:
        settings = load_settings()
        endpoint, headers = settings.otel_exporter_endpoint, settings.otel_exporter_headers
    if not endpoint:
        log.warning("distributed tracing disabled; no OTLP endpoint configured")
        log.info("tracing disabled; operating without OTLP exporter")
        return False
    # The SDK and exporter cost 15 MB and 0.2 s: only a process that exports loads them.
    exporter_module = import_module("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    sdk = import_module("opentelemetry.sdk.trace")
    export = import_module("opentelemetry.sdk.trace.export")
    resources = import_module("opentelemetry.sdk.resources")
    id_generators = import_module("opentelemetry.sdk.trace.id_generator")
    provider = sdk.TracerProvider(
        resource=resources.Resource.create({"service.name": service or "xin"}),
        id_generator=_RootIds(id_generators.RandomIdGenerator()),
    )
    exporter = exporter_module.OTLPSpanExporter(endpoint=endpoint, headers=_pairs(headers))
    provider.add_span_processor(export.BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    _state["active"] = correlation.name_traces()
    log.info("tracing initialised", endpoint=endpoint)
    log.info("tracing active")
    return True


def tracing() -> bool:
    """Whether this process exports spans."""
    return _state["active"]


@contextmanager
def span(name: str, **attributes: Any) -> Iterator[Span]:
    """Record a step of what this context's correlation id is about, below the step that it is part of.

    Args:
        attributes: `xin.` is put in front of each name.
    """
    if not tracing():
        yield trace.INVALID_SPAN
        return
    with tracer.start_as_current_span(name, context=_above(), attributes=_named(attributes)) as begun:
        yield begun


def detached_span(name: str, **attributes: Any) -> Span:
    """Begin a step that nothing is below of; whoever begins it ends it."""
    if not tracing():
        return trace.INVALID_SPAN
    return tracer.start_span(name, context=_above(), attributes=_named(attributes))


@contextmanager
def request_span(method: str, traceparent: str | None) -> Iterator[Span]:
    """Record the answering of an HTTP request, the first step of its trace unless another process of ours asks."""
    if not tracing():
        yield trace.INVALID_SPAN
        return
    root, caller = _root(), _remote(traceparent)
    ours = caller is not None and caller.trace_id == root.trace_id
    links = [trace.Link(caller)] if caller and not ours else []
    token = _next_root.set(None if ours else root)
    try:
        above = trace.set_span_in_context(NonRecordingSpan(caller) if ours and caller else trace.INVALID_SPAN)
        attributes = {"http.request.method": method, "xin.correlation_id": correlation.current()}
        with tracer.start_as_current_span(
            method, context=above, kind=SpanKind.SERVER, links=links, attributes=attributes
        ) as begun:
            yield begun
    finally:
        _next_root.reset(token)


def outgoing_headers() -> dict[str, str]:
    """Return what a request to another process of ours carries, so that its steps are below this one."""
    carried = {correlation.HEADER: correlation.current()}
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        carried[TRACEPARENT] = f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
    return carried


def trace_of(traceparent: str | None) -> str | None:
    """Return the trace that a W3C `traceparent` header names, in a form that serves as a correlation id."""
    named = _remote(traceparent)
    return str(UUID(int=named.trace_id)) if named else None


def _above() -> Any:
    """The present step when it is of this context's trace; else the trace's first step, wherever that was made."""
    root = _root()
    present = trace.get_current_span().get_span_context()
    return None if present.trace_id == root.trace_id else trace.set_span_in_context(NonRecordingSpan(root))


def _root() -> SpanContext:
    number = correlation.trace_id_of(correlation.current())
    digest = hashlib.sha256(number.to_bytes(16, "big")).digest()
    return SpanContext(number, int.from_bytes(digest[:8], "big"), is_remote=True, trace_flags=_SAMPLED)


def _remote(traceparent: str | None) -> SpanContext | None:
    """What a W3C `traceparent` header names."""
    found = _TRACEPARENT.fullmatch(traceparent or "")
    if not found:
        return None
    context = SpanContext(int(found[1], 16), int(found[2], 16), is_remote=True, trace_flags=_SAMPLED)
    return context if context.is_valid else None


class _RootIds:
    """Ids of spans: random, but for the first step of a request, whose ids its correlation id tells."""

    def __init__(self, random: Any) -> None:
        self._random = random

    def generate_trace_id(self) -> int:
        root = _next_root.get()
        return root.trace_id if root else int(self._random.generate_trace_id())

    def generate_span_id(self) -> int:
        root = _next_root.get()
        _next_root.set(None)
        return root.span_id if root else int(self._random.generate_span_id())

    def is_trace_id_random(self) -> bool:
        return False


def _named(attributes: dict[str, Any]) -> dict[str, Any]:
    return {f"xin.{key}": value for key, value in attributes.items()}


def _pairs(headers: str | None) -> dict[str, str]:
    pairs = (part.split("=", 1) for part in (headers or "").split(",") if "=" in part)
    return {name.strip().lower(): value.strip() for name, value in pairs}
