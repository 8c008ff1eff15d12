"""What search needs beyond tables: functions that reach GIN indexes under row-level security, vector indexes, storage.

Under a policy, PostgreSQL uses an index only for leakproof operators, and array overlap is not one. So the two look-ups
by array are functions owned by the platform role, whose policy hides nothing; each narrows to the session's tenant
itself and takes no tenant from its caller.
"""

from chatbot.db.roles import APP_ROLE, PLATFORM_ROLE

_TENANT = "NULLIF(current_setting('xin.tenant_id', true), '')::uuid"
VECTOR_DIMENSIONS = (256, 384, 512, 768, 1024, 1536, 3072)
"""Vector lengths with an HNSW index; a brand embedded with another length is scanned exactly."""

# {match} is `&&` (any of the terms) or `@>` (all of them). Terms are keyed by brand already; tenant and brand are
# checked again with IS NOT DISTINCT FROM, which no index serves: a bitmap of a whole brand costs more than the search.
# The planner takes thirty rare terms for a sixth of the table and would read all of it, or go from source
# to source (1 s instead of 5 ms): hence the materialised step and no sequential scan.
_CANDIDATES = """
CREATE FUNCTION {name}(brand uuid, wanted bigint[], query sparsevec, tagged text[], seen_by text[], most int)
RETURNS TABLE (passage_id uuid, score float8)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $body$
BEGIN
  RETURN QUERY EXECUTE
    'WITH held AS MATERIALIZED (
       SELECT p.id, p.source_id, p.version, -(p.weights <#> $3) AS score FROM passages p
       WHERE p.terms {match} $2 AND p.tenant_id IS NOT DISTINCT FROM $1 AND p.brand_id IS NOT DISTINCT FROM $4)
     SELECT h.id, h.score FROM held h
     JOIN knowledge_sources s ON s.tenant_id = $1 AND s.id = h.source_id AND s.live_version = h.version
     WHERE (cardinality($5) = 0 OR s.tags && $5) AND s.visibility = ANY ($6)
     ORDER BY h.score DESC, h.id LIMIT $7'
  USING {tenant}, wanted, query, brand, tagged, seen_by, most;
END $body$
"""
# One slip of the finger leaves a word's beginning, middle or end as it was: the trigrams of one of them must be there.
_SIMILAR = """
CREATE FUNCTION xin_similar_words(brand uuid, wanted bigint[], head bigint[], middle bigint[], tail bigint[])
RETURNS TABLE (word text, passages bigint, shared bigint, trigrams bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $body$
BEGIN
  RETURN QUERY EXECUTE
    'SELECT t.word, t.passages, n.shared, cardinality(t.trigrams)::bigint FROM term_statistics t,
     LATERAL (SELECT count(*) AS shared FROM unnest(t.trigrams) g WHERE g = ANY ($3)) n
     WHERE (t.trigrams @> $4 OR t.trigrams @> $5 OR t.trigrams @> $6) AND t.tenant_id IS NOT DISTINCT FROM $1
       AND t.brand_id IS NOT DISTINCT FROM $2 AND t.passages > 0
     ORDER BY 2.0 * n.shared / (cardinality(t.trigrams) + cardinality($3)) DESC, t.word LIMIT 20'
  USING {tenant}, brand, wanted, head, middle, tail;
END $body$
"""
_SIGNATURES = (
    "xin_candidates_any(uuid, bigint[], sparsevec, text[], text[], int)",
    "xin_candidates_all(uuid, bigint[], sparsevec, text[], text[], int)",
    "xin_similar_words(uuid, bigint[], bigint[], bigint[], bigint[])",
)


def search_functions() -> list[str]:
    """Return the statements that create the functions and give them to the platform role."""
    made = [
        _CANDIDATES.format(name="xin_candidates_any", match="&&", tenant=_TENANT),
        _CANDIDATES.format(name="xin_candidates_all", match="@>", tenant=_TENANT),
        _SIMILAR.format(tenant=_TENANT),
    ]
    # An owner that is no superuser must be a member of the role, which must be able to own something, to hand over.
    owners = [
        f"GRANT {PLATFORM_ROLE} TO CURRENT_USER WITH SET TRUE",
        f"GRANT CREATE ON SCHEMA public TO {PLATFORM_ROLE}",
    ]
    for signature in _SIGNATURES:
        owners += [
            f"ALTER FUNCTION {signature} OWNER TO {PLATFORM_ROLE}",
            f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC",
            f"GRANT EXECUTE ON FUNCTION {signature} TO {APP_ROLE}",
        ]
    return [*made, *owners, f"REVOKE CREATE ON SCHEMA public FROM {PLATFORM_ROLE}"]


def drop_search_functions() -> list[str]:
    """Return the statements that drop the functions."""
    return [f"DROP FUNCTION IF EXISTS {signature}" for signature in _SIGNATURES]


def search_storage() -> list[str]:
    """Return the statements for vector indexes, and for keeping BM25 weights in the row, where each search reads them.

    Fetched from beside the row (TOAST), 200 candidates' 4-grams cost 9 ms instead of 2.
    """
    indexes = [
        f"CREATE INDEX ix_passage_vectors_hnsw_{n} ON passage_vectors "
        f"USING hnsw ((embedding::halfvec({n})) halfvec_ip_ops) WHERE dimensions = {n}"
        for n in VECTOR_DIMENSIONS
    ]
    kept = [f"ALTER TABLE passages ALTER COLUMN {column} SET STORAGE MAIN" for column in ("weights", "grams")]
    return [*indexes, *kept, "ALTER TABLE passages ALTER COLUMN terms SET STORAGE EXTERNAL"]
