"""Search over messages under row-level security: a function that reaches the GIN index, as those of `db/search.py`."""

from chatbot.db.search import definer_function, handed_over

_HEAD = """xin_find_messages(wanted bigint[], otherwise bigint[], or_else bigint[], most int)
RETURNS TABLE (message_id uuid)"""

# A message must hold all words of a question, analysed as one language or another: a null array matches nothing.
# The newest first, which is the order of the ids.
_BODY = """
  RETURN QUERY SELECT t.message_id FROM message_terms t
  WHERE (t.terms @> wanted OR t.terms @> otherwise OR t.terms @> or_else) AND t.tenant_id IS NOT DISTINCT FROM tenant
  ORDER BY t.message_id DESC LIMIT most;"""

_SIGNATURE = "xin_find_messages(bigint[], bigint[], bigint[], int)"


def message_search() -> list[str]:
    """Return the statements that create the function and give it to the platform role."""
    return [definer_function(_HEAD, _BODY), *handed_over((), (_SIGNATURE,))]


def drop_message_search() -> list[str]:
    """Return the statements that drop the function."""
    return [f"DROP FUNCTION IF EXISTS {_SIGNATURE}"]
