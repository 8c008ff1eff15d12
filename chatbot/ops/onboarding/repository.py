"""What a tenant has done of its first steps, each looked up where doing it leaves a row."""

from typing import NamedTuple

from chatbot.channels.widget.service import ANONYMOUS
from chatbot.db.sessions import TenantReader, fetch

# A session of the widget is given to pages that may have it, and to nothing else; its visitors are ours to name. One
# whom somebody vouches for has an embed token, which a program uses without any page: that is the widget only where a
# page is named. A try from the console is neither.
# A tenant is born with a web channel, which is worth nothing before it names a page or a visitor came by it.
_STEPS = """
WITH used AS (
  SELECT id, channel_type, configuration->'allowed_origins' <> '[]'::jsonb AS names_a_page FROM channels
  WHERE tenant_id = %(tenant)s AND enabled AND deleted_at IS NULL
), came AS (
  SELECT EXISTS (SELECT FROM visitors WHERE tenant_id = %(tenant)s AND starts_with(subject, %(anonymous)s)) OR EXISTS (
      SELECT FROM channels ch JOIN conversations c ON c.tenant_id = ch.tenant_id AND c.channel_id = ch.id
      WHERE ch.tenant_id = %(tenant)s AND ch.channel_type = 'web'
        AND (starts_with(c.owner, %(anonymous)s)
             OR starts_with(c.owner, 'visitor:') AND ch.id IN (SELECT id FROM used WHERE names_a_page))) AS by_widget
)
SELECT
  EXISTS (SELECT FROM knowledge_sources WHERE tenant_id = %(tenant)s AND status = 'ready' AND passage_count > 0),
  EXISTS (SELECT FROM policy_versions WHERE tenant_id = %(tenant)s AND kind = 'policy'),
  EXISTS (
      SELECT FROM used, came
      WHERE channel_type <> 'web' OR by_widget OR names_a_page),
  (SELECT by_widget FROM came),
  EXISTS (SELECT FROM messages WHERE tenant_id = %(tenant)s AND role = 'bot' AND mode IN ('model', 'extractive'))
"""


class StepsDone(NamedTuple):
    """Which steps are done."""

    knowledge: bool
    persona: bool
    channel: bool
    widget: bool
    first_answer: bool


async def steps_done(session: TenantReader) -> StepsDone:
    """Look at the rows of the session's tenant."""
    values = {"tenant": session.tenant_id, "anonymous": f"visitor:{ANONYMOUS}"}
    return StepsDone(*(await fetch(session, _STEPS, values))[0])
