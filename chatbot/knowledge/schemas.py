"""Bodies of the knowledge API: what is given, and what is told of sources, jobs and passages."""

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, computed_field, model_validator

from chatbot.core.schemas import HttpAddress, Like, RequestBody, ResponseBody, Timestamp

MAX_TAGS = 50
MAX_PAIRS = 1_000
_FETCHED, _PARSED = 0.02, 0.1

Kind = Literal["file", "text", "qa", "url", "sitemap"]
Visibility = Literal["public", "internal"]
SourceStatus = Literal["pending", "processing", "ready", "failed"]
JobStatus = Literal["pending", "running", "completed", "failed", "cancelled"]


def _no_null(value: str) -> str:
    if "\x00" in value:
        raise ValueError("must not hold the character NUL")
    return value


def _split_commas(value: object) -> object:
    """Tags come as a list, or as one text with commas, or as several of those."""
    parts = [value] if isinstance(value, str) else value
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        return value
    return list(dict.fromkeys(tag.strip() for part in parts for tag in part.split(",") if tag.strip()))


Text = Annotated[str, AfterValidator(_no_null)]
Title = Annotated[Text, Field(min_length=1, max_length=500)]
Tag = Annotated[Text, Field(min_length=1, max_length=100)]
Tags = Annotated[list[Tag], BeforeValidator(_split_commas), Field(max_length=MAX_TAGS)]
Url = Annotated[Text, Field(min_length=8, max_length=2000), HttpAddress]
Question = Annotated[Text, Field(min_length=1, max_length=2_000)]
Answer = Annotated[Text, Field(min_length=1, max_length=50_000)]
ExternalId = Annotated[Text, Field(min_length=1, max_length=500)]
Language = Annotated[
    str, Field(max_length=35), Like("^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", "a language such as en or pt-BR")
]


class Pair(RequestBody):
    """A question with its answer."""

    question: Question
    answer: Answer


class SourceLabels(RequestBody):
    """What may be said of a source, whatever its kind."""

    title: Title | None = None
    external_id: ExternalId | None = None
    url: Url | None = None
    language: Language | None = None
    tags: Tags = Field(default_factory=list)
    visibility: Visibility = "public"


class NewSource(SourceLabels):
    """Knowledge given as JSON. `kind` may be left out: text, or what the other fields say.

    `text` needs `title` and `content`; `qa` needs `question` and `answer`, or `pairs`; `url` and `sitemap` need `url`.
    """

    kind: Literal["text", "qa", "url", "sitemap"] = "text"
    content: Text | None = None
    question: Question | None = None
    answer: Answer | None = None
    pairs: Annotated[list[Pair], Field(max_length=MAX_PAIRS)] = Field(default_factory=list)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """Each kind has the fields that it needs."""
        missing = [name for name in _NEEDED[self.kind] if not getattr(self, name)]
        if self.kind == "qa" and self.pairs:
            missing = []
        if missing:
            raise ValueError(f"{', '.join(missing)}: needed for the kind {self.kind}")
        return self


_NEEDED = {"text": ("title", "content"), "qa": ("question", "answer"), "url": ("url",), "sitemap": ("url",)}


class UploadLabels(SourceLabels):
    """The fields beside the file of a multipart request."""


class AssetUpload(UploadLabels):
    """The fields beside the file of an upload by an administrator; `brand_id` may be `default`."""

    tenant_id: UUID
    brand_id: UUID | Literal["default"] = "default"


class SourceChange(RequestBody):
    """What may be changed of a source. A new title is indexed again; the old one serves until that is done."""

    title: Title | None = None
    tags: Tags | None = None
    visibility: Visibility | None = None


class SourceView(ResponseBody):
    """A source as it stands. `passages` counts those that answer now."""

    id: UUID
    tenant_id: UUID
    brand_id: UUID
    parent_id: UUID | None
    kind: Kind
    external_id: str | None
    title: str
    url: str | None
    language: str | None
    tags: list[str]
    visibility: Visibility
    status: SourceStatus
    reason_code: str | None
    reason: str | None
    filename: str | None
    content_type: str | None
    byte_size: int | None
    version: int
    live_version: int | None
    passages: int = Field(validation_alias="passage_count")
    edits: int = Field(description="Passages changed or removed by hand; a new version is read without these edits.")
    created_at: Timestamp
    updated_at: Timestamp


class JobView(ResponseBody):
    """An ingestion job. `progress` runs from 0 to 1; `attempts` counts the tries since the last progress."""

    id: UUID
    source_id: UUID
    status: JobStatus
    stage: str | None
    attempts: int
    reason_code: str | None
    reason: str | None
    done: int
    total: int | None
    created_at: Timestamp
    started_at: Timestamp | None
    finished_at: Timestamp | None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def progress(self) -> float:
        """How much is done, 0 to 1; fetching and parsing count for a tenth."""
        if self.status == "completed":
            return 1.0
        if self.total:
            return round(_PARSED + (1 - _PARSED) * self.done / self.total, 3)
        return {"parse": _FETCHED, "chunk": _PARSED, "index": _PARSED}.get(self.stage or "", 0.0)


class Accepted(ResponseBody):
    """A source was taken and will be read."""

    asset: SourceView
    job: JobView


class KnowledgeAccepted(ResponseBody):
    """A source was taken and will be read."""

    source_id: UUID
    job_id: UUID
    status: SourceStatus


class PassageView(ResponseBody):
    """A passage of a source's live version.

    `edited_at`: when it was last changed by hand. `embedders`: those whose vector of it is stored; one that is missing
    is made in the background.
    """

    id: UUID
    source_id: UUID
    ordinal: int
    text: str
    heading_path: list[str]
    language: str
    edited_at: Timestamp | None
    embedders: list[str]


class PassageChange(RequestBody):
    """Another text for a passage, in Markdown; its headings and its source's title stay part of what it is found by."""

    text: Annotated[Text, Field(min_length=1, max_length=8_000)]


def as_openapi(*models: type[RequestBody]) -> list[dict[str, Any]]:
    """Return the JSON schemas of bodies that an endpoint reads by itself."""
    return [model.model_json_schema(ref_template="#/components/schemas/{model}") for model in models]
