"""Calls built from the OpenAPI document: for tests that walk every operation, whatever the rooms add."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx

Json = dict[str, Any]
_METHODS = ("get", "post", "put", "patch", "delete")
NOT_OURS = {"external_id", "client_message_id", "session_id", "sessionId", "provider_event_id"}
"""Ids that clients make up; everything else that ends in `id` names a row."""

SAMPLES: Json = {
    "role": "viewer",
    "timezone": "UTC",
    "url": "https://example.com/help",
    "origin": "https://shop.example",
    "expires_at": "2999-01-01T00:00:00Z",
    "email": "somebody@example.com",
    "trigger": {"type": "cron", "cron": "0 9 * * *"},
    "actions": [{"type": "wait", "minutes": 1}],
    "events": ["message.received"],
}
"""Values for fields whose schema alone does not give a valid one."""


_WITHOUT_WHICH_NOTHING_IS_ASKED = {"title", "content", "rule"}
"""Fields that may be left out where another is given; calls have these."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation and the places where it takes the id of a row: `path:brand_id`, `query:…`, `body:…`."""

    method: str
    path: str
    parameters: tuple[Json, ...]
    content_type: str | None
    body: Json
    protected: bool
    components: Json = field(repr=False)

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"

    @property
    def ids(self) -> list[str]:
        """Every place of an id."""
        places = [f"{p['in']}:{p['name']}" for p in self.parameters if p["in"] in ("path", "query")]
        places += [f"body:{name}" for name in self.body.get("properties", {})]
        return [place for place in places if _names_a_row(place.partition(":")[2])]

    def request(self, ids: dict[str, UUID | None], headers: dict[str, str]) -> Json:
        """Return the arguments of `httpx.AsyncClient.request`; a place whose id is None is left out where it may be."""
        path, query = self.path, {}
        for parameter in self.parameters:
            name, place = parameter["name"], f"{parameter['in']}:{parameter['name']}"
            value = ids.get(place) if place in self.ids else self._sample(name, parameter["schema"])
            if parameter["in"] == "path":
                path = path.replace(f"{{{name}}}", str(value))
            elif parameter["in"] == "query" and value is not None and (place in self.ids or parameter.get("required")):
                query[name] = str(value)
        body = self._body(ids)
        call: Json = {"method": self.method.upper(), "url": path, "params": query, "headers": headers}
        if self.content_type == "multipart/form-data":
            call |= {"data": body, "files": {"file": ("a.txt", b"Nobody reads this text.", "text/plain")}}
        elif self.content_type:
            call["json"] = body
        return call

    def _body(self, ids: dict[str, UUID | None]) -> Json:
        body = {}
        for name, schema in self.body.get("properties", {}).items():
            place = f"body:{name}"
            if place in self.ids:
                if ids.get(place) is not None:
                    body[name] = str(ids[place])
            elif schema.get("format") != "binary" and (
                name in self.body.get("required", ()) or name in _WITHOUT_WHICH_NOTHING_IS_ASKED
            ):
                body[name] = self._sample(name, schema)
        return body

    def _sample(self, name: str, schema: Json) -> Any:
        schema = resolve(schema, self.components)
        if name in SAMPLES:
            return SAMPLES[name]
        if "enum" in schema or "const" in schema:
            return schema.get("const") or schema["enum"][0]
        options = [option for option in schema.get("anyOf", ()) if option.get("type") != "null"]
        if options:
            return self._sample(name, options[0])
        kind = schema.get("type")
        if kind == "object":
            required = schema.get("required", ())
            return {
                key: self._sample(key, part) for key, part in schema.get("properties", {}).items() if key in required
            }
        return {
            "array": [], "boolean": False, "integer": schema.get("minimum", 1), "number": schema.get("minimum", 0.5),
        }.get(str(kind), "text")  # fmt: skip


def operations(document: Json) -> Iterator[Operation]:
    """Give every operation of an OpenAPI document."""
    components = document.get("components", {}).get("schemas", {})
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method not in item:
                continue
            described = item[method]
            contents = described.get("requestBody", {}).get("content", {})
            for content_type, content in (contents or {None: {}}).items():
                yield Operation(
                    method=method,
                    path=path,
                    parameters=tuple(described.get("parameters", ())),
                    content_type=content_type,
                    body=_object(content.get("schema", {}), components),
                    protected=bool(described.get("security")),
                    components=components,
                )


def resolve(schema: Json, components: Json) -> Json:
    """Follow a `$ref`."""
    while "$ref" in schema:
        schema = components[schema["$ref"].rpartition("/")[2]]
    return schema


def stable(answer: httpx.Response) -> tuple[int, Any]:
    """Return what two answers are compared by: all but the request's own id."""
    try:
        body = answer.json()
    except ValueError:
        body = answer.text
    return answer.status_code, {**body, "request_id": ""} if isinstance(body, dict) else body


def _object(schema: Json, components: Json) -> Json:
    schema = resolve(schema, components)
    for option in schema.get("anyOf", ()):
        found = resolve(option, components)
        if found.get("type") == "object":
            return found
    return schema


def _names_a_row(name: str) -> bool:
    return name not in NOT_OURS and (name == "id" or name.endswith("_id"))
