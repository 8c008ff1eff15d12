"""A collector of spans: what it was sent over OTLP/HTTP, as protobuf."""

import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.test_utils import TestServer
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)


@dataclass(frozen=True)
class Seen:
    """A span as a collector sees it."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    attributes: dict[str, str]


@dataclass
class Collector:
    """An OTLP/HTTP endpoint and what came in."""

    url: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    spans: list[Seen] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        """Keep the spans of an export."""
        body = await request.read()
        if body[:2] == b"\x1f\x8b":
            body = gzip.decompress(body)
        self.headers = {name.lower(): value for name, value in request.headers.items()}
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            named = {one.key: one.value.string_value for one in resource.resource.attributes}
            for scope in resource.scope_spans:
                self.spans += [
                    Seen(
                        named["service.name"], span.name, span.trace_id.hex(), span.span_id.hex(),
                        span.parent_span_id.hex(), {one.key: one.value.string_value for one in span.attributes},
                    )
                    for span in scope.spans
                ]  # fmt: skip
        return web.Response(body=ExportTraceServiceResponse().SerializeToString())

    def trace(self, trace_id: str) -> list[Seen]:
        """Return the spans of one trace."""
        return [span for span in self.spans if span.trace == trace_id]


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    """Run a collector on a free port."""
    collector = Collector()
    app = web.Application(client_max_size=2**25)
    app.router.add_post("/v1/traces", collector.take)
    async with TestServer(app) as server:
        collector.url = str(server.make_url("/v1/traces"))
        yield collector
