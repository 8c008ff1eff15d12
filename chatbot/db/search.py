"""What search needs beyond tables: functions that reach GIN indexes under row-level security, vector indexes, storage.

Under a policy, PostgreSQL uses an index only for leakproof operators, and array overlap is not one. So searches are
functions owned by the platform role, whose policy hides nothing; each narrows to the session's tenant itself and takes
no tenant from its caller.
"""

from collections.abc import Sequence

from chatbot.db.roles import APP_ROLE, PLATFORM_ROLE

VECTOR_DIMENSIONS = (256, 384, 512, 768, 1024, 1536, 3072)
"""Vector lengths with an HNSW index; a brand embedded with another length is scanned exactly."""

EF_SEARCH = 400
"""Of 25,000 vectors among 125,000 the nearest 40 are found to .82 (120: .71), for 5.7 instead of 4.0 ms of CPU."""

# The session's tenant comes first in every function. Plans are made once a connection: planning costs as much as a
# search. The planner takes thirty rare terms for a sixth of the table and would read all of it: no sequential scan.
_FUNCTION = """
CREATE FUNCTION {head}
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off {settings} AS $body$
DECLARE
  tenant uuid := NULLIF(current_setting('xin.tenant_id', true), '')::uuid;
  {more}
BEGIN
{body}
END $body$
"""
# A look-up of the source per row, because of OFFSET 0: joined, the planner goes from source to source (1 s, not 5 ms).
_ALIVE = """SELECT true AS yes FROM knowledge_sources s WHERE s.tenant_id = {tenant} AND s.id = {row}.source_id
    AND s.live_version = {row}.version AND (cardinality({tagged}) = 0 OR s.tags && {tagged})
    AND s.visibility = ANY ({seen_by}) OFFSET 0"""
_NAMES = {"tenant": "tenant", "tagged": "tagged", "seen_by": "seen_by"}

_CANDIDATES_HEAD = """{name}(brand uuid, wanted bigint[], query sparsevec, tagged text[], seen_by text[], most int,
  spoken text)
RETURNS TABLE (passage_id uuid, score float8)"""
# {match} is `&&` (any of the terms) or `@>` (all of them). Terms are keyed by brand already; tenant and brand are
# checked again with IS NOT DISTINCT FROM, which no index serves: a bitmap of a whole brand costs more than the search.
# Sorted before the look at the sources, which only the best need then. Those in another language than the question's
# count half: a name that all languages share must not fill the list with those of one.
_CANDIDATES = """
  RETURN QUERY WITH held AS MATERIALIZED (
    SELECT p.id, p.source_id, p.version, -(p.weights <#> query) AS score,
      CASE WHEN p.language <> spoken THEN 0.5 ELSE 1.0 END AS share FROM passages p
    WHERE p.terms {match} wanted AND p.tenant_id IS NOT DISTINCT FROM tenant
      AND p.brand_id IS NOT DISTINCT FROM brand)
  SELECT h.id, h.score FROM (SELECT * FROM held ORDER BY held.score * held.share DESC, held.id) h,
    LATERAL ({alive}) alive
  ORDER BY h.score * h.share DESC, h.id LIMIT most;"""

_NEAREST_HEAD = """{name}(brand uuid, by text, meaning halfvec, tagged text[], seen_by text[], checked boolean,
  most int)
RETURNS TABLE (passage_id uuid, score float8)"""
_FOUND_ALIVE = """(NOT {checked} OR EXISTS (SELECT FROM passages p, LATERAL ({alive}) alive
    WHERE p.tenant_id = v.tenant_id AND p.id = v.passage_id))"""
_NEAREST = """
  RETURN QUERY SELECT v.passage_id, -(v.embedding <#> meaning) AS near FROM passage_vectors v
  WHERE v.tenant_id = tenant AND v.brand_id = brand AND v.embedder = by AND {found_alive}
  ORDER BY near DESC LIMIT most;"""
# The index of a dimension holds all tenants' vectors: the scan goes on until enough rows pass.
_NEAREST_INDEXED = """
  RETURN QUERY EXECUTE format(
   'SELECT v.passage_id, -(v.embedding::halfvec(%1$s) <#> $2::halfvec(%1$s)) FROM passage_vectors v
    WHERE v.tenant_id = $1 AND v.brand_id = $3 AND v.embedder = $4 AND v.dimensions = %1$s AND {found_alive}
    ORDER BY v.embedding::halfvec(%1$s) <#> $2::halfvec(%1$s) LIMIT $8', vector_dims(meaning))
  USING tenant, meaning, brand, by, tagged, seen_by, checked, most;"""
_INDEXED_SETTINGS = f"SET enable_sort = off SET hnsw.iterative_scan = relaxed_order SET hnsw.ef_search = {EF_SEARCH}"

# One slip of the finger leaves a word's beginning, middle or end as it was: the trigrams of one of them must be there.
_SIMILAR_HEAD = """xin_similar_words(brand uuid, wanted bigint[], head bigint[], middle bigint[], tail bigint[])
RETURNS TABLE (word text, passages bigint, shared bigint, trigrams bigint)"""
_SIMILAR = """
  RETURN QUERY SELECT t.word, t.passages, n.shared, cardinality(t.trigrams)::bigint FROM term_statistics t,
    LATERAL (SELECT count(*) AS shared FROM unnest(t.trigrams) g WHERE g = ANY (wanted)) n
  WHERE (t.trigrams @> head OR t.trigrams @> middle OR t.trigrams @> tail) AND t.tenant_id IS NOT DISTINCT FROM tenant
    AND t.brand_id IS NOT DISTINCT FROM brand AND t.passages > 0
  ORDER BY 2.0 * n.shared / (cardinality(t.trigrams) + cardinality(wanted)) DESC, t.word LIMIT 20;"""

# All of a search in one round trip: candidates by words (those that hold all of `rarest`, when they are enough) and
# by meaning, `others` found elsewhere, the openings of their documents; each with its scores. What may not be shown
# comes without a lexical score. Looked up in arrays: a join with them would be a loop over both. What words found was
# seen to live, and what meaning found is compared: neither is looked up again.
_SEARCH_HEAD = """xin_search(brand uuid, rare bigint[], rarest bigint[], by_stems sparsevec, by_grams sparsevec,
  tagged text[], seen_by text[], words int, by text, meaning halfvec, indexed boolean, checked boolean, vectors int,
  others uuid[], spoken text)
RETURNS TABLE (passage_id uuid, source_id uuid, ordinal bigint, lexical float8, cosine float8, by_words float8,
  by_meaning float8, language text)"""
_SEARCH_MORE = "worded uuid[]; worded_scores float8[]; near uuid[]; near_scores float8[];"
_SEARCH = """
  IF cardinality(rarest) > 0 THEN
    SELECT array_agg(c.passage_id), array_agg(c.score) INTO worded, worded_scores
    FROM xin_candidates_all(brand, rarest, by_stems, tagged, seen_by, words, spoken) c;
  END IF;
  IF cardinality(rare) > 0 AND coalesce(cardinality(worded), 0) < words / 3 THEN
    SELECT array_agg(c.passage_id), array_agg(c.score) INTO worded, worded_scores
    FROM xin_candidates_any(brand, rare, by_stems, tagged, seen_by, words, spoken) c;
  END IF;
  IF indexed THEN
    SELECT array_agg(n.passage_id), array_agg(n.score) INTO near, near_scores
    FROM xin_nearest_indexed(brand, by, meaning, tagged, seen_by, checked, vectors) n;
  ELSIF by IS NOT NULL THEN
    SELECT array_agg(n.passage_id), array_agg(n.score) INTO near, near_scores
    FROM xin_nearest(brand, by, meaning, tagged, seen_by, checked, vectors) n;
  END IF;
  RETURN QUERY WITH found AS MATERIALIZED (
    SELECT p.id, p.source_id, p.version, p.ordinal, p.brand_id, p.language, {score} AS score FROM passages p
    WHERE p.tenant_id = tenant AND p.id = ANY (worded || near || others)
  ), wanted AS (
    SELECT f.* FROM found f UNION ALL
    SELECT p.id, p.source_id, p.version, p.ordinal, p.brand_id, p.language, {score} FROM
      (SELECT f.source_id, f.version FROM found f GROUP BY f.source_id, f.version HAVING min(f.ordinal) > 0) d
      JOIN passages p ON p.tenant_id = tenant AND p.source_id = d.source_id AND p.version = d.version AND p.ordinal = 0
  )
  SELECT w.id, w.source_id, w.ordinal, CASE WHEN at.worded IS NOT NULL OR checked_now.yes THEN w.score END,
    coalesce(near_scores[at.near], compared_now.cosine), worded_scores[at.worded], near_scores[at.near],
    w.language::text
  FROM wanted w
  CROSS JOIN LATERAL (SELECT array_position(worded, w.id) AS worded, array_position(near, w.id) AS near OFFSET 0) at
  LEFT JOIN LATERAL (SELECT alive.yes FROM ({alive}) alive WHERE at.worded IS NULL) checked_now ON w.brand_id = brand
  LEFT JOIN LATERAL (SELECT -(v.embedding <#> meaning) AS cosine FROM passage_vectors v
    WHERE v.tenant_id = tenant AND v.passage_id = w.id AND v.embedder = by AND at.near IS NULL) compared_now ON true;"""
# As processes of the release before call it, which run beside those of this one while it is rolled out, or back.
_FORMER_HEAD = _SEARCH_HEAD.replace(", spoken text", "").replace(", language text", "")
_FORMER_SEARCH = """
  RETURN QUERY SELECT f.passage_id, f.source_id, f.ordinal, f.lexical, f.cosine, f.by_words, f.by_meaning
  FROM xin_search(brand, rare, rarest, by_stems, by_grams, tagged, seen_by, words, by, meaning, indexed, checked,
    vectors, others, NULL) f;"""
_SCORE = "-(p.weights <#> by_stems) + coalesce(-(p.grams <#> by_grams), 0)"

_INSIDE = (
    "xin_candidates_any(uuid, bigint[], sparsevec, text[], text[], int, text)",
    "xin_candidates_all(uuid, bigint[], sparsevec, text[], text[], int, text)",
)
_OPEN = (
    "xin_nearest(uuid, text, halfvec, text[], text[], boolean, int)",
    "xin_nearest_indexed(uuid, text, halfvec, text[], text[], boolean, int)",
    "xin_similar_words(uuid, bigint[], bigint[], bigint[], bigint[])",
    (
        "xin_search(uuid, bigint[], bigint[], sparsevec, sparsevec, text[], text[], int, text, halfvec, boolean, "
        "boolean, int, uuid[], text)"
    ),
)

_FORMER = (
    (
        "xin_search(uuid, bigint[], bigint[], sparsevec, sparsevec, text[], text[], int, text, halfvec, boolean, "
        "boolean, int, uuid[])"
    ),
    "xin_candidates_any(uuid, bigint[], sparsevec, text[], text[], int)",
    "xin_candidates_all(uuid, bigint[], sparsevec, text[], text[], int)",
)


def search_functions() -> list[str]:
    """Return the statements that create the functions and give them to the platform role."""
    return [*_functions(), *handed_over(_INSIDE, (*_OPEN, _FORMER[0]))]


def handed_over(inside: Sequence[str], opened: Sequence[str]) -> list[str]:
    """Return the statements that give functions to the platform role; tenants may call those that are `opened`."""
    # An owner that is no superuser must be a member of the role, which must be able to own something, to hand over.
    owners = [
        f"GRANT {PLATFORM_ROLE} TO CURRENT_USER WITH SET TRUE",
        f"GRANT CREATE ON SCHEMA public TO {PLATFORM_ROLE}",
    ]
    for signature in (*inside, *opened):
        owners += [
            f"ALTER FUNCTION {signature} OWNER TO {PLATFORM_ROLE}",
            f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC",
        ]
    owners += [f"GRANT EXECUTE ON FUNCTION {signature} TO {APP_ROLE}" for signature in opened]
    return [*owners, f"REVOKE CREATE ON SCHEMA public FROM {PLATFORM_ROLE}"]


def _functions() -> list[str]:
    held, passage, wanted = (_ALIVE.format(row=row, **_NAMES) for row in ("h", "p", "w"))
    by_number = _ALIVE.format(row="p", tenant="$1", tagged="$5", seen_by="$6")
    return [
        definer_function(
            _CANDIDATES_HEAD.format(name="xin_candidates_any"), _CANDIDATES.format(match="&&", alive=held)
        ),
        definer_function(
            _CANDIDATES_HEAD.format(name="xin_candidates_all"), _CANDIDATES.format(match="@>", alive=held)
        ),
        definer_function(
            _NEAREST_HEAD.format(name="xin_nearest"),
            _NEAREST.format(found_alive=_FOUND_ALIVE.format(checked="checked", alive=passage)),
        ),
        definer_function(
            _NEAREST_HEAD.format(name="xin_nearest_indexed"),
            _NEAREST_INDEXED.format(found_alive=_FOUND_ALIVE.format(checked="$7", alive=by_number)),
            settings=_INDEXED_SETTINGS,
        ),
        definer_function(_SIMILAR_HEAD, _SIMILAR),
        definer_function(_SEARCH_HEAD, _SEARCH.format(alive=wanted, score=_SCORE), more=_SEARCH_MORE),
        definer_function(_FORMER_HEAD, _FORMER_SEARCH),
    ]


def definer_function(head: str, body: str, *, settings: str = "", more: str = "") -> str:
    """Return the statement that creates a function which runs as its owner, narrowed to the session's `tenant`."""
    return _FUNCTION.format(head=head, body=body, settings=settings, more=more)


def drop_search_functions() -> list[str]:
    """Return the statements that drop the functions."""
    return [f"DROP FUNCTION IF EXISTS {signature}" for signature in (*_INSIDE, *_OPEN, *_FORMER)]


def search_storage() -> list[str]:
    """Return the statements for vector indexes, and for keeping BM25 weights in the row, where each search reads them.

    Fetched from beside the row (TOAST), 200 candidates' 4-grams cost 9 ms instead of 2. A row may fill half a page
    before its weights are compressed: two fit on a page either way, and unpacking costs a third of each score.
    """
    indexes = [
        f"CREATE INDEX ix_passage_vectors_hnsw_{n} ON passage_vectors "
        f"USING hnsw ((embedding::halfvec({n})) halfvec_ip_ops) WHERE dimensions = {n}"
        for n in VECTOR_DIMENSIONS
    ]
    kept = [f"ALTER TABLE passages ALTER COLUMN {column} SET STORAGE MAIN" for column in ("weights", "grams")]
    return [
        *indexes,
        *kept,
        "ALTER TABLE passages ALTER COLUMN terms SET STORAGE EXTERNAL",
        "ALTER TABLE passages SET (toast_tuple_target = 4080)",
    ]
