"""Knowledge: sources, ingestion jobs, passages, their lexical and dense vectors, gaps.

A trap for whoever searches these tables: under row-level security PostgreSQL pushes a condition below the policy
only when its operator is leakproof. `uuid = uuid` and `bigint = bigint` are; array overlap (`&&`) is not, so a GIN
index on `terms` is not used by a role under RLS. Candidate selection therefore goes through a `SECURITY DEFINER`
function that names the tenant itself (see `db/migrations`), or through leakproof operators only.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from pgvector.sqlalchemy import HALFVEC, SPARSEVEC
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    UniqueConstraint,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from chatbot.db.models.base import EMPTY_ARRAY, EMPTY_OBJECT, Base, CreatedAt, TenantOwned, Timestamped, owned_by

SPARSE_DIMENSIONS = 1_000_000_000
"""pgvector's limit for `sparsevec`; hashed terms are taken modulo it."""


class KnowledgeSource(TenantOwned, Timestamped, Base):
    """A document, pair or page that a brand answers from.

    `titled`: somebody gave the title; else it is the document's own, or the file's name or address until that is read.
    `version` is the newest one asked for, `live_version` the one that answers (null: none yet). Only passages of
    the live version are found. `edits` counts its passages that were changed or removed by hand; a new version is read
    without them.
    """

    __tablename__ = "knowledge_sources"
    __table_args__ = (
        owned_by("brand_id", "brands"),
        Index("ix_knowledge_sources_id", "id"),  # whose is it, for callers that reach several tenants
        UniqueConstraint("tenant_id", "brand_id", "external_id"),
        Index(
            "ix_knowledge_sources_twin",
            "tenant_id",
            "brand_id",
            "content_hash",
            postgresql_where=sql("external_id IS NULL AND parent_id IS NULL"),
        ),
        # By hash: an address may be longer than what a B-tree takes.
        Index(
            "ix_knowledge_sources_url",
            "url",
            postgresql_using="hash",
            postgresql_where=sql("external_id IS NULL AND parent_id IS NULL"),
        ),
        Index("ix_knowledge_sources_pages", "tenant_id", "parent_id", postgresql_where=sql("parent_id IS NOT NULL")),
        CheckConstraint("kind IN ('file', 'text', 'qa', 'url', 'sitemap')", name="kind"),
        CheckConstraint("status IN ('pending', 'processing', 'ready', 'failed')", name="status"),
        CheckConstraint("visibility IN ('public', 'internal')", name="visibility"),
    )

    brand_id: Mapped[UUID]
    parent_id: Mapped[UUID | None]
    kind: Mapped[str] = mapped_column(String(20))
    external_id: Mapped[str | None] = mapped_column(String(500))
    title: Mapped[str] = mapped_column(String(500))
    titled: Mapped[bool] = mapped_column(server_default=sql("false"))
    url: Mapped[str | None] = mapped_column(String(2000))
    language: Mapped[str | None] = mapped_column(String(35))
    tags: Mapped[list[str]] = mapped_column(server_default=EMPTY_ARRAY)
    visibility: Mapped[str] = mapped_column(String(20), server_default="public")
    status: Mapped[str] = mapped_column(String(20), server_default="pending")
    reason_code: Mapped[str | None] = mapped_column(String(60))
    reason: Mapped[str | None]
    filename: Mapped[str | None] = mapped_column(String(300))
    content_type: Mapped[str | None] = mapped_column(String(200))
    byte_size: Mapped[int | None]
    content_hash: Mapped[str | None] = mapped_column(String(64))
    blob_key: Mapped[str | None] = mapped_column(String(300))
    version: Mapped[int] = mapped_column(server_default=sql("1"))
    live_version: Mapped[int | None]
    passage_count: Mapped[int] = mapped_column(server_default=sql("0"))
    edits: Mapped[int] = mapped_column(server_default=sql("0"))


class IngestionJob(TenantOwned, Base):
    """The reading of one version of one source.

    `run` is the number of the queue's task that may work on it now: a task that was given back to the queue by
    mistake, or whose successor waits already, carries an older number and does nothing. `attempts` counts the tries
    since the last progress.
    """

    __tablename__ = "ingestion_jobs"
    __table_args__ = (
        owned_by("source_id", "knowledge_sources"),
        Index("ix_ingestion_jobs_id", "id"),
        CheckConstraint("status IN ('pending', 'running', 'completed', 'failed', 'cancelled')", name="status"),
        Index(
            "ix_ingestion_jobs_open",
            "tenant_id",
            "created_at",
            postgresql_where=sql("status IN ('pending', 'running')"),
        ),
    )

    source_id: Mapped[UUID] = mapped_column(index=True)
    version: Mapped[int]
    status: Mapped[str] = mapped_column(String(20), server_default="pending")
    stage: Mapped[str | None] = mapped_column(String(20))
    run: Mapped[int] = mapped_column(server_default=sql("0"))
    done: Mapped[int] = mapped_column(server_default=sql("0"))
    total: Mapped[int | None]
    attempts: Mapped[int] = mapped_column(server_default=sql("0"))
    reason_code: Mapped[str | None] = mapped_column(String(60))
    reason: Mapped[str | None]
    parsed_key: Mapped[str | None] = mapped_column(String(300))
    correlation_id: Mapped[str | None] = mapped_column(String(128))
    created_at: Mapped[CreatedAt]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class Passage(TenantOwned, Base):
    """A piece of a source that can be cited. `embedders` names those whose vector of it is stored, wherever that is."""

    __tablename__ = "passages"
    __table_args__ = (
        owned_by("source_id", "knowledge_sources"),
        UniqueConstraint("tenant_id", "source_id", "version", "ordinal"),
        # No pending list: it would be scanned by every search until the next vacuum.
        Index("ix_passages_terms", "terms", postgresql_using="gin", postgresql_with={"fastupdate": "off"}),
        Index("ix_passages_tenant_id_brand_id", "tenant_id", "brand_id"),
    )

    brand_id: Mapped[UUID]
    source_id: Mapped[UUID]
    version: Mapped[int]
    ordinal: Mapped[int]
    text: Mapped[str]
    heading_path: Mapped[list[str]] = mapped_column(server_default=EMPTY_ARRAY)
    language: Mapped[str] = mapped_column(String(35))
    content_hash: Mapped[str] = mapped_column(String(64))
    length: Mapped[int]
    terms: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    weights: Mapped[Any] = mapped_column(SPARSEVEC(SPARSE_DIMENSIONS))
    grams: Mapped[Any | None] = mapped_column(SPARSEVEC(SPARSE_DIMENSIONS))
    embedders: Mapped[list[str]] = mapped_column(server_default=EMPTY_ARRAY)
    created_at: Mapped[CreatedAt]
    edited_at: Mapped[datetime | None]


class PassageVector(Base):
    """A passage's dense vector of length 1 by one embedder; there is an HNSW index per usual number of dimensions."""

    __tablename__ = "passage_vectors"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "passage_id"], ["passages.tenant_id", "passages.id"], ondelete="CASCADE"),
        Index("ix_passage_vectors_tenant_id_brand_id_embedder", "tenant_id", "brand_id", "embedder"),
    )

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True)
    passage_id: Mapped[UUID] = mapped_column(primary_key=True)
    embedder: Mapped[str] = mapped_column(String(120), primary_key=True)
    brand_id: Mapped[UUID]
    dimensions: Mapped[int] = mapped_column(SmallInteger)
    embedding: Mapped[Any] = mapped_column(HALFVEC())


class TermStatistics(Base):
    """In how many passages of a brand a word stem stands.

    `trigrams` are hashes of brand and character trigram: misspelt words of a question find their neighbours by them.
    """

    __tablename__ = "term_statistics"
    __table_args__ = (
        Index("ix_term_statistics_trigrams", "trigrams", postgresql_using="gin", postgresql_with={"fastupdate": "off"}),
        {"postgresql_with": {"fillfactor": 80}},  # counts are updated in place
    )

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True)
    brand_id: Mapped[UUID] = mapped_column(primary_key=True)
    term: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    word: Mapped[str]
    trigrams: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    passages: Mapped[int]


class BrandStatistics(Base):
    """Size of a brand's knowledge, its languages, and how common each character 4-gram is in it.

    `embedded` counts, embedder by embedder, the passages that have a vector.
    `gram_table` is counted over a sample of `gram_sample` passages when the brand had `gram_basis` of them, and counted
    again when the brand has grown or shrunk by a quarter; `gram_version` tells caches.
    """

    __tablename__ = "brand_statistics"

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True)
    brand_id: Mapped[UUID] = mapped_column(primary_key=True)
    passages: Mapped[int] = mapped_column(server_default=sql("0"))
    languages: Mapped[dict[str, Any]] = mapped_column(server_default=EMPTY_OBJECT)
    embedded: Mapped[dict[str, Any]] = mapped_column(server_default=EMPTY_OBJECT)
    gram_version: Mapped[int] = mapped_column(server_default=sql("0"))
    gram_basis: Mapped[int] = mapped_column(server_default=sql("0"))
    gram_sample: Mapped[int] = mapped_column(server_default=sql("0"))
    gram_table: Mapped[bytes | None] = mapped_column(LargeBinary)


class GapGroup(TenantOwned, Base):
    """Questions that say the same and for which no evidence was found; `group_key` is a hash of their distinct stems.

    `question` is the first one asked, `evidence` the most that was found for any. What is listed is kept here, so that
    a list reads as many rows as it shows.
    """

    __tablename__ = "gap_groups"
    __table_args__ = (
        owned_by("brand_id", "brands"),
        owned_by("source_id", "knowledge_sources", ondelete="SET NULL (source_id)"),
        UniqueConstraint("tenant_id", "brand_id", "group_key"),
        Index("ix_gap_groups_id", "id"),  # whose is it, for callers that reach several tenants
        Index("ix_gap_groups_listed", "tenant_id", "status", sql("asked DESC"), sql("id DESC")),
        Index("ix_gap_groups_listed_by_brand", "tenant_id", "brand_id", "status", sql("asked DESC"), sql("id DESC")),
        CheckConstraint("status IN ('open', 'answered', 'dismissed')", name="status"),
    )

    brand_id: Mapped[UUID]
    group_key: Mapped[str] = mapped_column(String(32))
    question: Mapped[str]
    languages: Mapped[list[str]] = mapped_column(server_default=EMPTY_ARRAY)
    evidence: Mapped[float]
    asked: Mapped[int]
    first_asked_at: Mapped[datetime]
    last_asked_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(String(20), server_default="open")
    source_id: Mapped[UUID | None]
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[str | None] = mapped_column(String(200))


class KnowledgeGap(TenantOwned, Base):
    """A question for which no evidence was found; without a group only until a job has found it one."""

    __tablename__ = "knowledge_gaps"
    __table_args__ = (
        owned_by("brand_id", "brands"),
        owned_by("group_id", "gap_groups"),
        Index("ix_knowledge_gaps_group_id_created_at", "tenant_id", "group_id", "created_at"),
        Index("ix_knowledge_gaps_ungrouped", "tenant_id", "id", postgresql_where=sql("group_id IS NULL")),
    )

    brand_id: Mapped[UUID] = mapped_column(index=True)
    group_id: Mapped[UUID | None]
    conversation_id: Mapped[UUID | None]
    message_id: Mapped[UUID | None]
    question: Mapped[str]
    language: Mapped[str | None] = mapped_column(String(35))
    evidence: Mapped[float]
    created_at: Mapped[CreatedAt]
